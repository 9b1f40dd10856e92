"""The Autobahn suite against a server: `fuzzing_client.py SUITE URL REPORTS CASES...`. For Python 2.7, which is what the suite is written in.

SUITE is the folder that it was installed into, REPORTS that for its pages, CASES are as `1.*`, and after `-` such as are left out. Prints how they went; a
case that went otherwise than it should ends it with a word about it.
"""

from __future__ import print_function

import json
import os
import site
import sys
from collections import Counter

# What the suite itself calls fine: what it only looks at is neither right nor wrong.
FINE = ("OK", "INFORMATIONAL")


def main(suite, url, reports, *cases):
    site.addsitedir(suite)
    from autobahntestsuite import wstest  # the first: it chooses what the rest runs on
    from autobahntestsuite import fuzzing
    from autobahntestsuite.caseset import CaseSet

    split = cases.index("-") if "-" in cases else len(cases)
    spec = {
        "outdir": reports,
        "servers": [{"agent": "gannet", "url": url}],
        "cases": list(cases[:split]),
        "exclude-cases": list(cases[split + 1:]),
        "exclude-agent-cases": {},
    }
    index = os.path.join(reports, "index.json")
    if os.path.exists(index):
        os.remove(index)  # an old one must not pass for a new one
    known = CaseSet(fuzzing.CaseSetname, fuzzing.CaseBasename, fuzzing.Cases, fuzzing.CaseCategories, fuzzing.CaseSubCategories)
    wanted = known.parseSpecCases(spec)
    print_to, sys.stdout = sys.stdout, open(os.path.join(reports, "suite.log"), "w")
    wstest.start({"mode": "fuzzingclient", "debug": False}, spec)
    sys.stdout = print_to
    with open(index) as file:
        results = json.load(file).get("gannet", {})
    missing = [case for case in wanted if case not in results]
    if missing or not wanted:
        sys.exit("error: %d of %d cases did not run: %s" % (len(missing), len(wanted), " ".join(missing[:5])))
    wrong = [
        "%s is %s, its end %s" % (case, results[case]["behavior"], results[case]["behaviorClose"])
        for case in wanted
        if not (results[case]["behavior"] in FINE and results[case]["behaviorClose"] in FINE)
    ]
    if wrong:
        sys.exit("error: %d cases of %d: %s; see %s" % (len(wrong), len(wanted), ", ".join(wrong[:8]), os.path.join(reports, "index.html")))
    counts = Counter(results[case]["behavior"] for case in wanted)
    print("%d of %d cases: %s" % (len(wanted), len(fuzzing.Cases), ", ".join("%d %s" % (counts[name], name) for name in FINE)))


main(*sys.argv[1:])
