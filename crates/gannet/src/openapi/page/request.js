// One operation's request: its form, what is sent, and what is answered.

import { element, example, kind, limits, resolve, words } from "./schema.js";

const TEXT_SHOWN = 256 * 1024;

/** The form of an operation, and room for the answer. `base` is where the API is; `identify` adds who asks to the fields. */
export function requestForm(method, path, operation, parameters, base, identify) {
  const inputs = parameters.map((parameter) => ({ parameter, input: inputFor(parameter) }));
  const body = operation.requestBody && bodyEditor(resolve(operation.requestBody));
  const answer = element("div", { class: "answer", "aria-live": "polite" });
  const command = element("code", {});
  const read = () => assemble(method, path, inputs, body, base, identify);
  const showCommand = () => { command.textContent = curl(read()); };
  const button = element("button", { type: "submit" }, "Send");
  const copy = element("button", {
    type: "button", class: "plain", onclick: () => { showCommand(); navigator.clipboard?.writeText(command.textContent); },
  }, "Copy");
  const shown = element("details", { class: "command", ontoggle: showCommand }, element("summary", {}, "As a command"), element("pre", {}, command), copy);
  const form = element("form", {
    class: "request", oninput: showCommand,
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      await send(read(), answer);
      button.disabled = false;
    },
  }, inputs.length > 0 && element("h4", {}, "Parameters"), inputs.map(({ parameter, input }) => field(parameter, input)), body?.elements,
  element("div", { class: "send" }, button, shown), answer);
  return form;
}

function field({ name, in: place, required, schema, description, deprecated }, input) {
  return element("label", { class: "field" },
    element("span", { class: "label" }, element("code", { class: "name" }, name), element("span", { class: "place" }, place),
      !required && element("span", { class: "optional" }, "optional"), deprecated && element("span", { class: "optional" }, "deprecated"),
      element("span", { class: "kind" }, kind(schema)), element("span", { class: "limits" }, limits(resolve(schema)))),
    words(description, "span"), input);
}

function inputFor({ name, required, schema }) {
  const own = resolve(schema);
  const values = own.enum ?? (own.type === "boolean" ? [true, false] : undefined);
  if (values) {
    const choices = values.map((value) => element("option", { value: `${value}` }, `${value}`));
    return element("select", { name, required }, !required && element("option", { value: "" }, "(none)"), choices);
  }
  if (own.type === "array") return element("textarea", { name, rows: 2, required, placeholder: "one on each line", spellcheck: "false" });
  const isNumber = own.type === "integer" || own.type === "number";
  const given = own.default ?? own.examples?.[0];
  return element("input", { name, required, inputmode: isNumber && "numeric", placeholder: given !== undefined && `${given}`, autocomplete: "off", spellcheck: "false" });
}

/** The editor of a body: its elements, and `read`, which gives what is sent and its media type. */
function bodyEditor(body) {
  const types = Object.keys(body.content ?? {});
  const room = element("div", {});
  let read = () => ({});
  const choose = (type) => {
    const made = editorOf(type, body.content[type]?.schema, body.required);
    read = made.read;
    room.replaceChildren(...made.elements);
  };
  const select = element("select", { "aria-label": "Media type", onchange: () => choose(select.value) }, types.map((type) => element("option", {}, type)));
  choose(types[0]);
  const heading = element("h4", {}, "Body ", types.length > 1 ? select : element("span", { class: "kind" }, types[0]), !body.required && element("span", { class: "optional" }, "optional"));
  return { elements: [heading, words(body.description), room], read: () => read() };
}

function editorOf(type, schema, isRequired) {
  if (type === "application/x-www-form-urlencoded" && schema) {
    const own = resolve(schema);
    const fields = Object.entries(own.properties ?? {}).map(([name, property]) => {
      const parameter = { name, in: "form", required: own.required?.includes(name), schema: property, description: resolve(property).description };
      return { parameter, input: inputFor(parameter) };
    });
    const pairs = () => fields.flatMap(({ parameter, input }) => valuesOf(parameter, input).map((value) => [parameter.name, value]));
    return { elements: fields.map(({ parameter, input }) => field(parameter, input)), read: () => ({ type, content: new URLSearchParams(pairs()).toString() }) };
  }
  if (type === "multipart/form-data") {
    const name = element("input", { value: "file", "aria-label": "Name of the part", autocomplete: "off" });
    const file = element("input", { type: "file", multiple: true, "aria-label": "Files" });
    const content = () => [...file.files].reduce((form, one) => (form.append(name.value, one), form), new FormData());
    return { elements: [element("div", { class: "field row" }, name, file)], read: () => ({ content: content(), file: file.files[0]?.name, part: name.value }) };
  }
  if (!/json|text|xml|graphql/.test(type)) {
    const file = element("input", { type: "file", required: isRequired, "aria-label": "File" });
    return { elements: [element("div", { class: "field" }, file)], read: () => ({ type, content: file.files[0], file: file.files[0]?.name }) };
  }
  const made = (schema && example(schema)) ?? "";
  const text = typeof made === "string" && !/json/.test(type) ? made : JSON.stringify(made, null, 2);
  const area = element("textarea", { rows: Math.min(Math.max(text.split("\n").length, 3), 24), spellcheck: "false", "aria-label": "Body", "data-language": type });
  area.value = text;
  return { elements: [area], read: () => (area.value || isRequired ? { type, content: area.value } : {}) };
}

function valuesOf({ schema }, input) {
  const values = resolve(schema).type === "array" ? input.value.split("\n") : [input.value];
  return values.filter((value) => value !== "");
}

/** What is sent: method, address, fields and content. */
function assemble(method, path, inputs, body, base, identify) {
  const query = [];
  const headers = {};
  let target = path;
  for (const { parameter, input } of inputs) {
    const values = valuesOf(parameter, input);
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(values[0] ?? ""));
    if (parameter.in === "query") query.push(...values.map((value) => `${encodeURIComponent(parameter.name)}=${encodeURIComponent(value)}`));
    if (parameter.in === "header" && values.length) headers[parameter.name] = values.join(", ");
  }
  const { type, content, file, part } = body?.read() ?? {};
  if (type && content !== undefined) headers["Content-Type"] = type;
  identify(headers);
  return { method, url: base + target + (query.length ? `?${query.join("&")}` : ""), headers, content, file, part };
}

function curl({ method, url, headers, content, file, part }) {
  const quoted = (text) => `'${`${text}`.replaceAll("'", "'\\''")}'`;
  const lines = [`curl -X ${method.toUpperCase()} ${quoted(url)}`, ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`)];
  if (content instanceof FormData) lines.push(`-F ${quoted(`${part}=@${file ?? ""}`)}`);
  else if (typeof content === "string") lines.push(`--data-raw ${quoted(content)}`);
  else if (content) lines.push(`--data-binary ${quoted(`@${file}`)}`);
  return lines.join(" \\\n  ");
}

async function send({ method, url, headers, content }, answer) {
  answer.replaceChildren(element("p", { class: "status" }, "…"));
  const begun = performance.now();
  try {
    const response = await fetch(url, { method: method.toUpperCase(), headers, body: content, redirect: "manual" });
    const bytes = await response.blob();
    answer.replaceChildren(...await shown(response, bytes, performance.now() - begun));
  } catch (error) {
    answer.replaceChildren(element("p", { class: "status failed" }, `There was no answer: ${error.message}`));
  }
}

async function shown(response, bytes, milliseconds) {
  const isRedirect = response.type === "opaqueredirect";
  const type = response.headers.get("Content-Type") ?? "";
  const status = isRedirect ? "A redirect, which is not followed here" : `${response.status} ${response.statusText}`.trim();
  const line = element("p", { class: `status s${isRedirect ? 3 : Math.floor(response.status / 100)}` },
    element("b", {}, status), element("span", {}, `${milliseconds.toFixed(0)} ms`), element("span", {}, `${bytes.size} bytes`));
  const fields = element("details", { class: "headers" }, element("summary", {}, "Fields"),
    element("pre", {}, [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n")));
  if (!bytes.size) return [line, fields];
  if (type.startsWith("image/")) return [line, fields, element("img", { src: URL.createObjectURL(bytes), alt: "The answer" })];
  if (!/json|text|xml|javascript|graphql/.test(type)) {
    return [line, fields, element("a", { href: URL.createObjectURL(bytes), download: "answer" }, "Save the answer")];
  }
  const text = await bytes.slice(0, TEXT_SHOWN).text();
  const cut = bytes.size > TEXT_SHOWN && element("a", { href: URL.createObjectURL(bytes), download: "answer" }, "This is its beginning; save it all");
  return [line, fields, element("pre", { class: "content" }, /json/.test(type) && !cut ? coloured(text) : text), cut].filter(Boolean);
}

/** JSON, laid out, with its kinds of values marked. */
export function coloured(text) {
  try {
    text = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return [text];
  }
  const parts = [];
  const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    const kinds = match[2] ? "key" : match[1] ? "string" : "literal";
    parts.push(text.slice(end, match.index), element("span", { class: kinds }, match[1] ?? match[0]), match[2] ?? "");
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}
