// The page: the document's operations by their tags, each unfolded when it is asked for.

import { coloured, requestForm } from "./request.js";
import { element, kind, resolve, setDocument, tree, words } from "./schema.js";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];
const $ = (id) => document.getElementById(id);
const link = document.querySelector("link[rel=service-desc]").href;

/** Who asks, by the schemes of the document; kept until the tab is closed. */
const identity = new Map();

async function start() {
  const response = await fetch(link);
  if (!response.ok) throw new Error(`${link}: ${response.status} ${response.statusText}`);
  const api = await response.json();
  setDocument(api);
  head(api);
  identify(api.components?.securitySchemes ?? {});
  const base = new URL(api.servers?.[0]?.url ?? "/", link).href.replace(/\/$/, "");
  for (const [tag, operations] of grouped(api)) show(tag, operations, base, api);
  schemas(api.components?.schemas ?? {});
  $("operations").removeAttribute("aria-busy");
  addEventListener("hashchange", follow);
  follow();
}

function head({ info }) {
  document.title = info.title;
  $("title").replaceChildren(info.title, " ", element("small", {}, info.version));
  $("description").replaceWith(...words(info.description));
  const licence = info.license && element("span", {}, info.license.name);
  $("links").replaceChildren(element("a", { href: link }, "OpenAPI document"), ...(licence ? [" · ", licence] : []));
}

/** Operations by their tags, in the order of the document's tags; those without one at the end. */
function grouped({ paths, tags = [] }) {
  const groups = new Map(tags.map((tag) => [tag, []]));
  const rest = [];
  for (const [path, item] of Object.entries(paths ?? {})) {
    for (const method of METHODS.filter((name) => item[name])) {
      const operation = { path, method, ...item[method], parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolve) };
      const own = tags.filter((tag) => operation.tags?.includes(tag.name));
      (own.length ? own.map((tag) => groups.get(tag)) : [rest]).forEach((group) => group.push(operation));
    }
  }
  return [...groups, [undefined, rest]].filter(([, operations]) => operations.length);
}

function show(tag, operations, base, api) {
  const title = tag?.name ?? (api.tags?.length ? "Others" : "Operations");
  const cards = operations.map((operation) => card(operation, base));
  $("operations").append(element("section", { class: "group" }, element("h2", {}, title), words(tag?.description), cards));
  $("index").append(element("section", {}, element("h2", {}, title), element("ul", {}, operations.map(indexLine))));
}

const methodMark = (method) => element("span", { class: `method ${method}` }, method.toUpperCase());

/** A path whose parts may be on lines of their own. */
const pathMark = (path) => element("code", { class: "path" }, path.split(/(?=\/)/).flatMap((part, index) => (index ? [element("wbr"), part] : [part])));

function indexLine({ method, path, summary, operationId }) {
  const label = summary ? element("span", {}, summary) : pathMark(path);
  return element("li", { "data-words": `${method} ${path} ${summary ?? ""}`.toLowerCase() },
    element("a", { href: `#${operationId}`, title: `${method.toUpperCase()} ${path}` }, methodMark(method), label));
}

function card(operation, base) {
  const { method, path, summary, operationId, deprecated, security } = operation;
  const details = element("details", { id: operationId, class: `operation ${method}`, "data-words": `${method} ${path} ${summary ?? ""}`.toLowerCase() },
    element("summary", {}, methodMark(method), pathMark(path), element("span", { class: "what" }, summary ?? ""),
      deprecated && element("span", { class: "optional" }, "deprecated"), security?.length && element("span", { class: "optional", title: "Says who asks" }, "identity")));
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) details.append(content(operation, base));
  });
  return details;
}

function content(operation, base) {
  const { method, path, description, parameters, responses, security } = operation;
  const body = resolve(operation.requestBody)?.content ?? {};
  const add = (headers) => security?.forEach((ways) => Object.keys(ways).forEach((name) => identity.get(name)?.(headers)));
  return element("div", { class: "inside" },
    words(description),
    requestForm(method, path, operation, parameters, base, add),
    Object.values(body).some((media) => media.schema) && element("details", { class: "shape" }, element("summary", {}, "What the body is"), Object.entries(body).map(([type, { schema }]) => media(type, schema))),
    element("h4", {}, "Answers"),
    element("ul", { class: "answers" }, Object.entries(responses ?? {}).map(([status, response]) => answerLine(status, resolve(response)))));
}

function answerLine(status, response) {
  const types = Object.entries(response.content ?? {});
  const line = [element("code", { class: `code s${status[0]}` }, status === "default" ? "other" : status), element("span", {}, response.description),
    types.map(([type, { schema }]) => element("span", { class: "kind" }, schema ? kind(schema) : type))];
  if (!types.some(([, { schema }]) => schema)) return element("li", {}, line);
  return element("li", {}, element("details", {}, element("summary", {}, line), types.map(([type, { schema }]) => media(type, schema))));
}

function media(type, schema) {
  return element("div", { class: "media" }, element("p", {}, element("code", {}, type), " ", schema && element("span", { class: "kind" }, kind(schema))), schema && tree(schema));
}

/** What identifies who asks, in fields to fill in. */
function identify(schemes) {
  const names = Object.keys(schemes);
  if (!names.length) return;
  const rows = names.map((name) => {
    const scheme = schemes[name];
    const isBasic = scheme.scheme === "basic";
    const hint = isBasic ? "name:password" : scheme.type === "apiKey" ? "key" : "token";
    const input = element("input", { type: "password", autocomplete: "off", placeholder: hint, value: sessionStorage.getItem(`identity ${name}`) ?? "" });
    input.addEventListener("input", () => sessionStorage.setItem(`identity ${name}`, input.value));
    identity.set(name, (headers) => {
      if (!input.value) return;
      if (scheme.type === "apiKey") headers[scheme.name] = input.value;
      else headers.Authorization = isBasic ? `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(input.value)))}` : `Bearer ${input.value}`;
    });
    return element("label", { class: "field" }, element("span", { class: "label" }, element("code", { class: "name" }, name), element("span", { class: "kind" }, scheme.scheme ?? scheme.name)), input);
  });
  $("identity").append(element("h2", {}, "Who asks"), element("form", { onsubmit: (event) => event.preventDefault() }, rows));
  $("identity").hidden = false;
}

function schemas(table) {
  const names = Object.keys(table);
  if (!names.length) return;
  $("schemas").append(element("h2", {}, "Schemas"), ...names.map((name) => {
    const details = element("details", { class: "schema", id: `schema-${name}`, "data-words": name.toLowerCase() }, element("summary", {}, element("code", { class: "name" }, name)));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) {
        details.append(element("div", { class: "inside" }, tree(table[name]),
          element("details", {}, element("summary", {}, "As JSON Schema"), element("pre", {}, coloured(JSON.stringify(table[name]))))));
      }
    });
    return details;
  }));
  $("schemas").hidden = false;
}

/** Unfolds what the address names. */
function follow() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName !== "DETAILS") return;
  target.open = true;
  target.scrollIntoView({ block: "start" });
}

function filter() {
  const wanted = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of document.querySelectorAll("[data-words]")) one.hidden = !wanted.every((word) => one.dataset.words.includes(word));
  for (const group of document.querySelectorAll("#index section, .group")) group.hidden = !group.querySelector("[data-words]:not([hidden])");
}

$("filter").addEventListener("input", filter);
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.target.closest?.("input, textarea, select")) return;
  event.preventDefault();
  $("filter").focus();
});

start().catch((error) => {
  $("operations").removeAttribute("aria-busy");
  $("operations").append(element("p", { class: "notice" }, `The document could not be read: ${error.message}`));
});
