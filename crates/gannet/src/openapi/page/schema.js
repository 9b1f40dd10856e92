// Schemas: shown as trees, and as examples of what they allow.

/** An element with attributes and children; a child may be text. */
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children.flat(9).filter((child) => child !== undefined && child !== null && child !== false));
  return made;
}

/** The words of a description: paragraphs, with what is between backquotes as code. */
export function words(text, name = "p") {
  return (text ?? "").split(/\n\s*\n/).filter(Boolean).map((paragraph) =>
    element(name, { class: "words" }, paragraph.split("`").map((part, index) =>
      index % 2 ? element("code", {}, part) : part)));
}

let root = {};

/** The document that references lead into. */
export function setDocument(made) {
  root = made;
}

/** What a reference leads to (RFC 6901); anything else is itself. */
export function resolve(value) {
  for (let steps = 0; value?.$ref?.startsWith("#/") && steps < 16; steps++) {
    value = value.$ref.slice(2).split("/").reduce(
      (place, name) => place?.[decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~")], root);
  }
  return value ?? {};
}

/** The name of the schema that a reference leads to. */
const nameOf = (schema) => schema?.$ref?.split("/").pop();

const list = (value) => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

const values = (schema) => schema.enum.map((value) => JSON.stringify(value)).join(" | ");

/** What a schema is, in a word or two. */
export function kind(schema) {
  if (schema === true || schema === undefined) return "anything";
  if (nameOf(schema)) return nameOf(schema);
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return values(schema);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(kind).join(" | ");
  if (schema.allOf) return schema.allOf.map(kind).join(" & ");
  const kinds = list(schema.type).map((type) => {
    if (type === "array" && schema.prefixItems) return `[${schema.prefixItems.map(kind).join(", ")}]`;
    if (type === "array") return `array of ${kind(schema.items)}`;
    if (type === "object" && schema.additionalProperties?.constructor === Object) return `map of ${kind(schema.additionalProperties)}`;
    return schema.format && type !== "null" ? `${type} (${schema.format})` : type;
  });
  return kinds.join(" | ") || (schema.properties ? "object" : "anything");
}

const LIMITS = {
  minimum: "≥", exclusiveMinimum: ">", maximum: "≤", exclusiveMaximum: "<", multipleOf: "multiple of", minLength: "at least so long:", maxLength: "at most so long:",
  pattern: "matches", minItems: "at least so many:", maxItems: "at most so many:", default: "default",
};

/** What a schema asks of a value beyond its kind. */
export function limits(schema) {
  return Object.entries(LIMITS).filter(([key]) => schema?.[key] !== undefined)
    .map(([key, word]) => `${word} ${typeof schema[key] === "string" ? schema[key] : JSON.stringify(schema[key])}`).join(", ");
}

/** A schema with all that is within, each level unfolded when it is asked for. */
export function tree(schema, depth = 0) {
  const own = resolve(schema);
  const parts = [...words(own.description)];
  const rows = Object.entries(own.properties ?? {}).map(([name, property]) => row(name, property, own.required?.includes(name), depth));
  if (rows.length) parts.push(element("ul", { class: "fields" }, rows));
  const within = [
    ...list(own.items).filter((items) => items !== true).map((items) => ["each", items]),
    ...list(own.prefixItems).map((items, index) => [`${index}`, items]),
    ...(own.additionalProperties?.constructor === Object ? [["any name", own.additionalProperties]] : []),
    ...list(own.anyOf ?? own.oneOf).map((choice, index) => [index ? "or" : "either", choice]),
    ...list(own.allOf).map((part) => ["all of", part]),
  ];
  if (within.length) parts.push(element("ul", { class: "fields" }, within.map(([name, part]) => row(name, part, true, depth))));
  return parts;
}

function row(name, schema, isRequired, depth) {
  const own = resolve(schema);
  const line = [
    element("code", { class: "name" }, name), !isRequired && element("span", { class: "optional" }, "optional"),
    element("span", { class: "kind" }, kind(schema)), limits(own) && element("span", { class: "limits" }, limits(own)),
    nameOf(schema) && own.enum && element("span", { class: "limits" }, values(own)),
  ];
  const isNested = [own.properties, own.items, own.prefixItems, own.anyOf, own.oneOf, own.allOf].some(Boolean)
    || own.additionalProperties?.constructor === Object;
  if (!isNested) return element("li", {}, line, words(own.description));
  const details = element("details", {}, element("summary", {}, line));
  const unfold = () => details.childElementCount === 1 && details.append(...tree(schema, depth + 1));
  details.addEventListener("toggle", unfold);
  return element("li", {}, details);
}

const FORMATS = {
  "date-time": "2026-01-31T12:00:00Z", date: "2026-01-31", time: "12:00:00Z", uuid: "6f1f7d6e-3a57-4b0e-9d3c-0d6c1c5c3c11", email: "ann@example.com",
  uri: "https://example.com/", ip: "192.0.2.1", ipv4: "192.0.2.1", ipv6: "2001:db8::1", hostname: "example.com", byte: "aGVsbG8=",
};

/** A value that a schema allows, as far as can be seen without trying. What leads back to where it came from is left out. */
export function example(schema, within = []) {
  if (schema?.$ref && within.includes(schema.$ref)) return undefined;
  const inside = (part) => example(part, schema?.$ref ? [...within, schema.$ref] : within);
  const own = resolve(schema);
  if (own === true) return null;
  if (own.examples?.length) return own.examples[0];
  for (const key of ["example", "default", "const"]) if (own[key] !== undefined) return own[key];
  if (own.enum) return own.enum[0];
  const choices = own.anyOf ?? own.oneOf;
  if (choices) return choices.filter((choice) => choice.type !== "null").map(inside)[0];
  if (own.allOf) return Object.assign({}, ...own.allOf.map(inside));
  switch (list(own.type).find((type) => type !== "null") ?? (own.properties && "object")) {
    case "object":
      return Object.fromEntries(Object.entries(own.properties ?? {}).map(([name, property]) => [name, inside(property)]));
    case "array":
      if (own.prefixItems) return own.prefixItems.map(inside);
      return own.items && own.items !== true ? [inside(own.items)].filter((item) => item !== undefined) : [];
    case "integer":
    case "number":
      return Math.min(Math.max(own.minimum ?? (own.exclusiveMinimum ?? -1) + 1, 0), own.maximum ?? Infinity);
    case "boolean":
      return false;
    case "string":
      return FORMATS[own.format] ?? "text".padEnd(own.minLength ?? 0, "t").slice(0, own.maxLength);
    default:
      return null;
  }
}
