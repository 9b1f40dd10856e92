//! Which core each worker runs on, when workers are pinned.
//!
//! Where a machine has several NUMA nodes its workers are spread over them, one node after the other, so that few workers have all
//! nodes' memory and caches too. What a worker touches is of its own node: its thread goes to its core before it makes anything.

use std::fs;
use std::io;
use std::path::Path;

use gannet_engine::sys::process::{MOST_CORES, allowed_cores};

/// Where the kernel tells of its nodes (Documentation/ABI/stable/sysfs-devices-node).
const NODES: &str = "/sys/devices/system/node";

/// The cores that this process may use, in the order in which workers get them.
pub(super) fn for_workers() -> io::Result<Vec<usize>> {
    Ok(spread(&allowed_cores()?, &nodes(Path::new(NODES))))
}

/// The cores of each node that has any, in the order of the nodes; none where the kernel does not tell.
fn nodes(folder: &Path) -> Vec<Vec<usize>> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let numbered = entries.flatten().filter_map(|entry| {
        let number: usize = entry.file_name().to_str()?.strip_prefix("node")?.parse().ok()?;
        let cores = fs::read_to_string(entry.path().join("cpulist")).ok()?;
        Some((number, listed(cores.trim())?))
    });
    let mut nodes: Vec<_> = numbered.filter(|(_, cores)| !cores.is_empty()).collect();
    nodes.sort_unstable();
    nodes.into_iter().map(|(_, cores)| cores).collect()
}

/// The numbers of a list such as `0-3,8` (cpuset(7), "List format"); nothing if it is none.
fn listed(list: &str) -> Option<Vec<usize>> {
    let mut numbers = Vec::new();
    for part in list.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        numbers.extend(first..=last.min(MOST_CORES));
    }
    Some(numbers)
}

/// The usable cores, one of each node in turns. Those that no node has come last.
fn spread(usable: &[usize], nodes: &[Vec<usize>]) -> Vec<usize> {
    let of_nodes: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| node.iter().copied().filter(|core| usable.contains(core)).collect())
        .collect();
    let most = of_nodes.iter().map(Vec::len).max().unwrap_or(0);
    let mut order: Vec<usize> = (0..most)
        .flat_map(|place| of_nodes.iter().filter_map(move |node| node.get(place).copied()))
        .collect();
    let others: Vec<usize> = usable.iter().copied().filter(|core| !order.contains(core)).collect();
    order.extend(others);
    order
}

#[cfg(test)]
mod tests {
    use gannet_engine::sys::process::stay_on_core;

    use super::*;

    #[test]
    fn a_pinned_thread_stays_on_its_core_and_others_where_they_are() {
        let before = allowed_cores().unwrap();
        let core = *before.last().unwrap();
        let pinned =
            std::thread::spawn(move || stay_on_core(core).and_then(|()| allowed_cores())).join().unwrap();
        assert_eq!(pinned.unwrap(), [core]);
        assert_eq!(allowed_cores().unwrap(), before);
    }

    #[test]
    fn there_are_as_many_workers_as_cores_that_the_process_may_use() {
        let pinned = std::thread::spawn(|| {
            stay_on_core(allowed_cores().unwrap()[0]).unwrap();
            std::thread::available_parallelism().unwrap().get()
        });
        assert_eq!(pinned.join().unwrap(), 1, "affinity counts (sched_getaffinity(2))");
    }

    /// A folder as the kernel's is, of nodes with these lists of cores.
    fn folder(nodes: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, cores) in nodes {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("cpulist"), format!("{cores}\n")).unwrap();
        }
        fs::write(folder.path().join("online"), "0-1\n").unwrap();
        folder
    }

    #[test]
    fn the_kernel_s_nodes_are_read_in_their_order_and_those_without_cores_left_out() {
        let folder = folder(&[("node10", "12"), ("node0", "0-3,8-9"), ("node2", "4"), ("node3", "")]);
        assert_eq!(nodes(folder.path()), [vec![0, 1, 2, 3, 8, 9], vec![4], vec![12]]);
        assert_eq!(nodes(&folder.path().join("none")), Vec::<Vec<usize>>::new());
        assert_eq!((listed("0-x"), listed("")), (None, Some(Vec::new())));
    }

    #[test]
    fn workers_are_spread_over_nodes_in_turns() {
        let two = [vec![0, 1, 2, 3], vec![4, 5, 6, 7]];
        assert_eq!(spread(&[0, 1, 2, 3, 4, 5, 6, 7], &two), [0, 4, 1, 5, 2, 6, 3, 7]);
        assert_eq!(spread(&[1, 2, 3, 6, 9], &two), [1, 6, 2, 3, 9], "of those that may be used, all once");
    }

    #[test]
    fn where_there_is_one_node_or_none_is_told_nothing_changes() {
        let usable = [0, 1, 5];
        assert_eq!(spread(&usable, &[vec![0, 1, 2, 3, 4, 5]]), usable);
        assert_eq!(spread(&usable, &[]), usable);
        assert_eq!(for_workers().unwrap().len(), allowed_cores().unwrap().len());
    }
}
