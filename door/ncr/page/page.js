"use strict";

// The page to try scripts. What it knows it has from the OpenAPI document.
(() => {
  const root = document.documentElement.dataset.root;
  const only = document.documentElement.dataset.name;
  const all = "application/vnd.carrel.run+json";
  const $ = (id) => document.getElementById(id);
  const shown = { path: "", operations: {}, schema: null, running: null, drafts: new Map() };

  const url = (path) => new URL(root + path.slice(1), location.href).href;

  async function load() {
    const answer = await fetch(url("/openapi.json"));
    const api = await answer.json();
    if (!answer.ok) throw new Error(api.error);
    const endpoints = new Map();
    for (const [path, operations] of Object.entries(api.paths)) {
      if (operations.post || operations.get?.operationId) endpoints.set(path, operations);
    }
    if (only) {
      const path = "/" + only.split("/").map(encodeURIComponent).join("/");
      const known = [...endpoints].find(([name]) => decodeURI(name) === "/" + only);
      show(known ? known[0] : path, known ? known[1] : { post: {} }, api);
      return;
    }
    if (endpoints.size === 0) {
      note("There is no script yet: a file hello.zen in the directory is /hello as soon as it is there.");
      return;
    }
    list(endpoints, api);
  }

  function list(endpoints, api) {
    const names = $("names");
    for (const path of endpoints.keys()) {
      const link = document.createElement("a");
      link.href = "#" + path;
      link.textContent = decodeURI(path);
      const item = document.createElement("li");
      item.append(link);
      names.append(item);
    }
    $("list").hidden = false;
    $("filter").addEventListener("input", () => {
      const wanted = $("filter").value.toLowerCase();
      for (const item of names.children) item.hidden = !item.textContent.toLowerCase().includes(wanted);
    });
    const choose = () => {
      const asked = location.hash.slice(1);
      const path = endpoints.has(asked) ? asked : endpoints.keys().next().value;
      for (const link of names.querySelectorAll("a")) {
        if (link.getAttribute("href") === "#" + path) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      show(path, endpoints.get(path), api);
    };
    addEventListener("hashchange", choose);
    choose();
  }

  function note(text) {
    $("note").textContent = text;
    $("note").hidden = text === "";
  }

  function show(path, operations, api) {
    if (shown.path) shown.drafts.set(shown.path, $("data").value);
    shown.running?.abort();
    Object.assign(shown, { path, operations, running: null });
    const of = operations.post ?? operations.get;
    note("");
    $("card").hidden = false;
    $("result").hidden = true;
    $("title").textContent = decodeURI(path);
    $("summary").textContent = of.description ?? of.summary ?? "";
    $("raw").href = url(path + "/raw");
    options($("method"), Object.keys(operations).map((m) => m.toUpperCase()).sort().reverse());
    const content = Object.values(operations.post?.requestBody?.content ?? {})[0];
    shown.type = Object.keys(operations.post?.requestBody?.content ?? {})[0] ?? "application/json";
    const name = content?.schema?.$ref?.split("/").pop();
    shown.schema = (name && api.components.schemas[name]) || queried(operations.get);
    $("schema").textContent = pretty(shown.schema);
    const examples = Object.entries(content?.examples ?? {});
    options($("examples"), examples.map(([key]) => key));
    $("examples").hidden = examples.length < 2;
    $("examples").onchange = () => fill(content.examples[$("examples").value].value);
    if (shown.drafts.has(path)) $("data").value = shown.drafts.get(path);
    else fill(examples.length > 0 ? examples[examples.length - 1][1].value : blank(shown.schema));
    if (examples.length > 0) $("examples").value = examples[examples.length - 1][0];
    check();
    command();
    readScript(path);
  }

  const queried = (get) => ({
    type: "object",
    properties: Object.fromEntries((get?.parameters ?? []).map((p) => [p.name, p.schema])),
  });

  function options(select, values) {
    select.replaceChildren(...values.map((value) => new Option(value, value)));
  }

  function fill(value) {
    $("data").value = pretty(value);
    check();
    command();
  }

  const pretty = (value) => JSON.stringify(value, null, 2);

  // blank is data with what a schema names.
  function blank(schema) {
    const value = {};
    for (const [name, of] of Object.entries(schema?.properties ?? {})) {
      value[name] = { number: 0, integer: 0, boolean: false, array: [], object: {} }[of.type] ?? "";
    }
    return value;
  }

  async function readScript(path) {
    $("script").textContent = "";
    const answer = await fetch(url(path + "/raw"));
    const text = await answer.text();
    if (shown.path !== path) return;
    $("script").replaceChildren(...colored(answer.ok ? text : JSON.parse(text).error));
  }

  const words = /^(\s*)(given|when|then|and|if|endif|foreach|endforeach|rule|scenario|local|function|return|end|for|while|do|print)\b/i;

  // colored is a script, a line after another, with what stands out.
  function* colored(text) {
    for (const line of text.split(/(?<=\n)/)) {
      if (/^\s*(#|--)/.test(line)) {
        yield span("note", line);
        continue;
      }
      const word = words.exec(line);
      if (word) {
        yield word[1];
        yield span("word", word[2]);
      }
      for (const part of line.slice(word ? word[0].length : 0).split(/('[^'\n]*')/)) {
        yield part.startsWith("'") ? span("name", part) : part;
      }
    }
  }

  function span(kind, text) {
    const element = document.createElement("span");
    element.className = kind;
    element.textContent = text;
    return element;
  }

  // check says whether the data is JSON.
  function check() {
    const text = $("data").value.trim();
    let problem = "";
    try {
      if (text) JSON.parse(text);
    } catch (e) {
      problem = e.message;
    }
    $("data").setAttribute("aria-invalid", String(problem !== ""));
    $("data-note").textContent = problem;
    return problem === "";
  }

  // request is what is sent.
  function request() {
    const method = $("method").value;
    const text = $("data").value.trim();
    if (method === "POST" && shown.type === "application/json") {
      return { method, address: url(shown.path), body: text, type: shown.type };
    }
    const form = new URLSearchParams();
    for (const [name, value] of Object.entries(text ? JSON.parse(text) : {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        form.append(name, typeof one === "string" ? one : JSON.stringify(one));
      }
    }
    if (method === "POST") return { method, address: url(shown.path), body: String(form), type: shown.type };
    return { method, address: url(shown.path) + (form.size ? "?" + form : "") };
  }

  const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

  function command() {
    let r;
    try {
      r = request();
    } catch {
      return; // the data is no JSON yet
    }
    const lines = ["curl " + quoted(r.address)];
    if (r.method === "POST") lines.push("-H " + quoted("Content-Type: " + r.type), "--data-binary " + quoted(r.body));
    $("curl").textContent = lines.join(" \\\n  ");
  }

  async function run() {
    if (shown.running || !check()) {
      $("data").focus();
      return;
    }
    const { method, address, body, type } = request();
    const path = shown.path;
    const running = (shown.running = new AbortController());
    $("run").setAttribute("aria-disabled", "true");
    try {
      const headers = { Accept: all };
      if (type) headers["Content-Type"] = type;
      const answer = await fetch(address, { method, headers, body: method === "POST" ? body : undefined, signal: running.signal, redirect: "manual" });
      const text = await answer.text();
      if (shown.path === path) result(answer, text);
    } catch (e) {
      if (e.name !== "AbortError" && shown.path === path) result(null, "", "The server did not answer: " + e.message);
    } finally {
      if (shown.running === running) shown.running = null;
      $("run").removeAttribute("aria-disabled");
    }
  }

  function result(answer, text, problem) {
    let ran = {};
    if (answer?.headers.get("Content-Type")?.includes("json")) ran = JSON.parse(text);
    else ran.output = text;
    const facts = [];
    if (answer) facts.push(span(answer.ok ? "good" : "bad", `${answer.status} ${ran.class && ran.class !== "exit" ? ran.class : ""}`.trim()));
    if (ran.type) facts.push(span("", ran.type));
    if (ran.fuel) facts.push(span("", ran.fuel.toLocaleString("en").replaceAll(",", "\u202f") + " fuel"));
    if (ran.micros !== undefined) facts.push(span("", (ran.micros / 1000).toFixed(1) + " ms"));
    if (ran.example) facts.push(span("", "with the example's data"));
    $("facts").replaceChildren(...facts);
    $("problem").textContent = problem ?? ran.error ?? "";
    $("problem").hidden = $("problem").textContent === "";
    $("problems").replaceChildren(...(ran.problems ?? []).map((one) => Object.assign(document.createElement("li"), { textContent: one })));
    $("problems").hidden = !ran.problems;
    let output = ran.output ?? "";
    if (ran.type?.includes("json")) {
      try {
        output = pretty(JSON.parse(output));
      } catch {
        // as it is
      }
    }
    $("output").textContent = output;
    $("output").hidden = output === "";
    $("log").textContent = (ran.log ?? []).join("\n");
    $("log-part").hidden = !ran.log?.length;
    $("log-part").open = Boolean(answer && !answer.ok);
    $("result").hidden = false;
  }

  $("run").addEventListener("click", run);
  $("data").addEventListener("input", () => {
    check();
    command();
  });
  $("data").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });
  $("method").addEventListener("change", command);
  $("format").addEventListener("click", () => {
    const text = $("data").value.trim();
    if (!text || !check()) return;
    if (/\d[\d.]{15,}/.test(text)) $("data-note").textContent = "Left as it is: a number in it may have more digits than this page keeps.";
    else fill(JSON.parse(text));
  });
  $("copy").addEventListener("click", async () => {
    await navigator.clipboard?.writeText($("curl").textContent);
    $("copy").textContent = "Copied";
    setTimeout(() => ($("copy").textContent = "Copy"), 1500);
  });
  load().catch((e) => note("The list of scripts could not be read: " + e.message));
})();
