"use strict";
// Whatever comes from a request is put into the page as text, never as HTML.

const $ = (id) => document.getElementById(id);
const TOKEN = document.querySelector('meta[name="alinb-page"]').content;
const rows = $("rows");
let chosen = null;
let shown = null;

function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && name !== "role" && name !== "list") made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function say(text) {
  $("said").textContent = "";
  $("said").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { $("said").textContent = ""; }, 4000);
}

async function ask(path, order) {
  const how = order === undefined ? {} : {
    method: "POST", body: JSON.stringify(order),
    headers: { "content-type": "application/json", "x-alinb-page": TOKEN },
  };
  let answer, said;
  try {
    answer = await fetch(path, how);
    said = await answer.json();
  } catch {
    throw new Error("No answer: the program behind this page has stopped.");
  }
  if (!answer.ok) throw new Error(said.problem || `HTTP ${answer.status}`);
  return said;
}

const reported = (work) => (...given) => Promise.resolve(work(...given)).catch((e) => say(e.message));

// ---- the list ----

const allRows = () => [...rows.rows];
const visible = () => allRows().filter((row) => !row.hidden);
const buttonOf = (row) => row.querySelector(".pick");

function clockOf(at) {
  const moment = new Date(at * 1000);
  const two = (n, width = 2) => String(n).padStart(width, "0");
  return `${two(moment.getHours())}:${two(moment.getMinutes())}:${two(moment.getSeconds())}` +
    `.${two(moment.getMilliseconds(), 3)}`;
}

function drawn(row) {
  const moment = new Date(row.at * 1000);
  const cell = (name, ...inside) => el("td", { role: "cell", className: name }, ...inside);
  return el("tr", { role: "row", className: "new", "data-number": row.number, "data-verdict": row.verdict },
    cell("time", el("time", { dateTime: isNaN(moment) ? "" : moment.toISOString() }, clockOf(row.at))),
    cell("verb", row.verb),
    cell("call", el("button", { type: "button", className: "pick", tabIndex: -1 }, row.call)),
    cell("verdict", row.verdict),
    cell("code", row.code),
    cell("ms", row.ms === null ? "" : row.ms.toFixed(0)),
    cell("faults", row.faults.join(", ")));
}

function add(news) {
  const known = new Set(allRows().map((row) => row.dataset.number));
  const fresh = news.filter((row) => !known.has(String(row.number))).sort((a, b) => b.number - a.number);
  const newest = Number(rows.firstElementChild?.dataset.number ?? 0);
  const block = document.createDocumentFragment();
  block.append(...fresh.filter((row) => row.number > newest).map(drawn));
  rows.prepend(block);
  // One that took long goes where its number belongs.
  for (const row of fresh.filter((each) => each.number < newest)) {
    rows.insertBefore(drawn(row), allRows().find((other) => Number(other.dataset.number) < row.number) || null);
  }
}

function drop(oldest) {
  for (const row of allRows()) {
    if (oldest === null || Number(row.dataset.number) < oldest) row.remove();
  }
}

function tidy() {
  const verdict = $("verdict").value;
  const text = $("text").value.trim().toLowerCase();
  let count = 0;
  for (const row of allRows()) {
    row.hidden = Boolean((verdict && row.dataset.verdict !== verdict) ||
      (text && !row.textContent.toLowerCase().includes(text)));
    if (!row.hidden) count += 1;
  }
  const total = rows.rows.length;
  const said = count === total ? `${total} request${total === 1 ? "" : "s"}` : `${count} of ${total} requests`;
  if ($("count").textContent !== said) $("count").textContent = said;
  $("none").hidden = total > 0;
  rove();
}

// One row takes part in the order of Tab, the arrow keys go through the others.
function rove(to) {
  const shownRows = visible();
  const focused = document.activeElement && document.activeElement.closest("#rows tr");
  const target = to || (shownRows.includes(focused) && focused) ||
    shownRows.find((row) => buttonOf(row).hasAttribute("aria-current")) || shownRows[0];
  for (const button of rows.querySelectorAll('.pick[tabindex="0"]')) button.tabIndex = -1;
  if (target) buttonOf(target).tabIndex = 0;
  return target;
}

rows.addEventListener("keydown", (event) => {
  const all = visible();
  const here = all.indexOf(event.target.closest("tr"));
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -all.length, End: all.length }[event.key];
  if (here < 0 || step === undefined) return;
  event.preventDefault();
  const row = all[Math.min(Math.max(here + step, 0), all.length - 1)];
  buttonOf(rove(row)).focus();
});
rows.addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (row) { rove(row); open(Number(row.dataset.number)); }
});
$("filter").addEventListener("submit", (event) => event.preventDefault());
$("verdict").addEventListener("change", tidy);
$("text").addEventListener("input", tidy);
$("clear").addEventListener("click", reported(async () => {
  await ask("/inspector/clear", {});
  say("The list is empty now.");
}));

// ---- one request ----

async function open(number, { values = false } = {}) {
  chosen = number;
  for (const button of rows.querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  const row = allRows().find((each) => Number(each.dataset.number) === number);
  if (row) buttonOf(row).setAttribute("aria-current", "true");
  const pane = $("detail");
  pane.hidden = false;
  document.querySelector(".panes").classList.add("open");
  if (!values) pane.replaceChildren(heading(`Request ${number}`), el("p", {}, "The doctor looks at it…"));
  pane.querySelector("h2").focus();
  let found;
  try {
    do {
      const path = `/inspector/requests/${number}`;
      found = values ? await ask(`${path}/values`, {}) : await ask(path);
    } while (found.pending && chosen === number);
  } catch (error) {
    if (chosen === number) pane.append(el("p", { className: "note" }, error.message));
    return;
  }
  if (chosen !== number) return;
  shown = found;
  pane.replaceChildren(...detail(found));
  pane.querySelector("h2").focus();
}

function shut() {
  if (chosen === null) return;
  const row = allRows().find((each) => Number(each.dataset.number) === chosen);
  chosen = shown = null;
  $("detail").hidden = true;
  $("detail").replaceChildren();
  document.querySelector(".panes").classList.remove("open");
  for (const button of rows.querySelectorAll("[aria-current]")) button.removeAttribute("aria-current");
  const back = rove(row && !row.hidden ? row : undefined);
  if (back) buttonOf(back).focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest("#detail")) shut();
});

const heading = (text) => el("h2", { tabIndex: -1, id: "detail-title" }, text);
const button = (text, work) => el("button", { type: "button", onclick: reported(work) }, text);
const cellOf = (text) => el("td", { className: String(text).length > 24 ? "long" : "" }, String(text));
const table = (head, lines) => el("div", { className: "wide" }, el("table", { className: "plain" },
  el("thead", {}, el("tr", {}, ...head.map((text) => el("th", { scope: "col" }, text)))),
  el("tbody", {}, ...lines.map((line) => el("tr", {}, ...line.map(cellOf))))));

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const box = el("textarea", { value: text, "aria-label": what });
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  say(`Copied ${what}.`);
}

function detail(found) {
  const path = `/inspector/requests/${found.number}`;
  const reveal = found.revealed
    ? button("Hide values", () => open(found.number))
    : button("Show values", () => open(found.number, { values: true }));
  reveal.id = "reveal";
  $("detail").setAttribute("aria-labelledby", "detail-title");
  return [
    heading(`${found.verb} ${found.call}: ${found.verdict} ${found.code}`.trim()),
    el("p", { className: "hint" }, `Request ${found.number}, ` +
      (found.status === null ? "no HTTP status" : `HTTP ${found.status}`) +
      (found.ms === null ? "" : `, ${found.ms.toFixed(1)} ms`) +
      (found.faults.length ? `, faults at work: ${found.faults.join(", ")}` : "") +
      (found.problem ? `. ${found.problem}` : "")),
    el("div", { className: "tools", role: "group", "aria-label": "What to do with it" },
      button("Copy as curl", () => copy(found.curl, "as curl")),
      button("Copy as a notebook cell", () => copy(found.cell, "as a notebook cell")),
      el("a", { className: "button", href: `${path}/request.ipynb`, download: "" }, "Open in a notebook"),
      el("a", { className: "button", href: `${path}/export.har`, download: "" }, "Export HAR"),
      reveal,
      button("Close", shut)),
    found.revealed ? el("p", { className: "note" }, "This request's tokens and codes are shown. The app secret never is.") : null,
    ...diagnosis(found.diagnosis),
    ...strings(found.strings),
    el("h3", {}, "Parameters"),
    found.parameters.length ? table(["name", "value", "sent in", "signed"], found.parameters.map((each) => [
      each.name, each.value, each.place + (each.repeated ? ", more than once" : ""), each.signed ? "yes" : "no",
    ])) : el("p", { className: "hint" }, "None."),
    ...meaning(found.explanation, found.diagnosis.verdict !== "explained"),
    el("h3", {}, "Request"), el("pre", { tabIndex: 0, role: "region", "aria-label": "Request" }, found.request),
    el("h3", {}, "Answer"), found.reply ? el("pre", { tabIndex: 0, role: "region", "aria-label": "Answer" }, found.reply)
      : el("p", { className: "hint" }, found.problem || "No answer was sent."),
  ].filter(Boolean);
}

function diagnosis(said) {
  const findings = said.findings.map((each) => el("div", { className: `finding ${each.certainty}` },
    el("p", {}, el("span", { className: "sure" }, `${each.certainty}: `), el("code", {}, each.id)),
    el("p", {}, each.evidence),
    each.cure ? el("p", {}, el("strong", {}, "Cure: "), each.cure) : null));
  const more = [];
  if (said.alternatives.length) {
    more.push(`The same signature also comes from: ${said.alternatives.map((ids) => ids.join(" + ")).join("; ")}.`);
  }
  if (said.apart) more.push(`A call with ${said.apart.parameter}=${JSON.stringify(said.apart.value)} would tell them apart.`);
  return [el("h3", {}, "Diagnosis"), el("p", { className: "summary" }, said.summary), ...findings,
    ...(!said.findings.length && said.cure ? [el("p", {}, el("strong", {}, "Cure: "), said.cure)] : []),
    ...more.map((text) => el("p", {}, text))];
}

function meaning(known, open) {
  if (!known) return [];
  return [el("details", { className: "meaning", open }, el("summary", {}, `What ${known.code} means`),
    el("p", {}, known.meaning),
    known.proves ? el("p", {}, `What it proves: ${known.proves}`) : null,
    known.unknown ? el("p", {}, `Not known: ${known.unknown}`) : null,
    el("ol", {}, ...known.cures.map((text) => el("li", {}, text))),
    el("p", { className: "hint" }, `Send it again? ${known.retry} (${known.confidence})`))];
}

function strings(found) {
  const part = (piece) => {
    const title = piece.parameter ? `${piece.kind} of ${piece.parameter}` : piece.kind || "";
    const inside = el("span", { className: piece.kind || "", title }, piece.text);
    if (piece.mark === "+") return el("ins", {}, "[+", inside, "]");
    return piece.mark === "-" ? el("del", {}, "[−", inside, "]") : inside;
  };
  const side = (title, pieces, note) => el("div", { className: "side" }, el("h4", {}, title),
    pieces ? el("p", { className: "string", tabIndex: 0, role: "region", "aria-label": title }, ...pieces.map(part))
      : el("p", { className: "hint" }, note));
  const legend = found.author === null ? "" : found.differ
    ? "[+…] is signed by the gateway and was not by the caller; [−…] was signed by the caller and is not by the gateway."
    : "Both strings are the same.";
  return [el("h3", {}, "The string to sign"),
    el("div", { className: "sides" }, side("As the gateway signs it", found.gateway),
      side("As the caller must have signed it", found.author, found.author_note)),
    el("p", { className: "hint" }, legend),
    el("details", {}, el("summary", {}, "The pieces of the gateway's string"),
      table(["piece", "of parameter", "text"], found.gateway.map((each) => [each.kind, each.parameter, each.text]))),
    ...(found.stages.length ? [el("h3", {}, "Stages that differ"),
      table(["stage", "as the gateway", "as the caller"], found.stages.map((each) => [each.stage, each.right, each.theirs]))] : [])];
}

// ---- faults ----

let atWork = null;

function asText(name, inputs) {
  const { value, share, times } = Object.fromEntries(inputs.map((each) => [each.name, each.value.trim()]));
  return name + (value ? `=${value}` : "") + (share ? `@${share}` : "") + (times ? `x${times}` : "");
}

const switched = reported(async (order, what) => {
  try {
    showFaults(await ask("/inspector/faults", order));
    say(what);
  } catch (error) {
    showFaults(await ask("/inspector/faults"));
    throw error;
  }
});

function amount(kind, name, label, properties) {
  return el("label", { className: "amount" }, label,
    el("input", { type: "number", min: "0", step: "any", name, "aria-label": `${kind}: ${label}`, ...properties }));
}

function kindRow(kind) {
  const box = el("input", { type: "checkbox", role: "switch", name: kind.name });
  const amounts = [
    kind.value ? amount(kind.name, "value", kind.value, { placeholder: kind.default }) : el("span"),
    amount(kind.name, "share", "share", { max: "1", placeholder: "1" }),
    amount(kind.name, "times", "times", { min: "1", step: "1", placeholder: "∞" }),
  ];
  const row = el("div", { className: "kind", "data-kind": kind.name },
    el("label", { className: "switch" }, box, " ", el("b", {}, kind.name),
      el("span", { className: "does" }, kind.does)), ...amounts);
  const inputs = [...row.querySelectorAll("input[type=number]")];
  row.addEventListener("change", (event) => {
    if (event.target !== box && !box.checked) return;
    const bad = inputs.find((each) => !each.reportValidity());
    if (bad) box.checked = row.classList.contains("on");
    else if (box.checked) switched({ on: asText(kind.name, inputs) }, `${kind.name} is on.`);
    else switched({ off: kind.name }, `${kind.name} is off.`);
  });
  return row;
}

function showFaults(state) {
  atWork = state.active.map((each) => each.text).join(", ");
  $("at-work").textContent = atWork ? `at work: ${atWork}` : "(none at work)";
  $("at-work").classList.toggle("some", Boolean(atWork));
  if (!$("kinds").childElementCount) {
    $("kinds").append(...state.kinds.map(kindRow));
    $("codes").append(...state.codes.map((code) => el("option", { value: code })));
  }
  const active = new Map(state.active.map((each) => [each.name, each]));
  for (const row of $("kinds").children) {
    const fault = active.get(row.dataset.kind);
    row.classList.toggle("on", Boolean(fault));
    row.querySelector("[role=switch]").checked = Boolean(fault);
    const times = row.querySelector("[name=times]");
    if (fault && times !== document.activeElement) times.value = fault.times === null ? "" : fault.times;
    active.delete(row.dataset.kind);
  }
  $("codes-on").replaceChildren(...[...active.values()].map((each) => el("li", {},
    button(`Switch off ${each.name}`, () => switched({ off: each.name }, `${each.name} is off.`)))));
}

function tellFaults(active) {
  if (active.join(", ") !== atWork) reported(async () => showFaults(await ask("/inspector/faults")))();
}

$("code-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const inputs = [...form.querySelectorAll("input[type=number]")];
  const name = $("code-name").value.trim();
  switched({ on: asText(name, inputs) }, `Calls are refused with ${name}.`).then(() => form.reset());
});
$("all-off").addEventListener("click", () => switched({ off: "" }, "All faults are off."));

// ---- as they come ----

function listen() {
  const after = document.querySelector('meta[name="alinb-event"]').content;
  const source = new EventSource(`/inspector/events?after=${encodeURIComponent(after)}`);
  source.onopen = () => { $("live").textContent = "● live"; };
  source.onerror = () => { $("live").textContent = "○ not connected; trying again"; };
  source.onmessage = (event) => {
    const news = JSON.parse(event.data);
    if (news.reload) return location.reload();
    drop(news.oldest);
    add(news.rows);
    tidy();
    if (news.faults) tellFaults(news.faults);
  };
  addEventListener("pagehide", () => source.close());
}

for (const time of document.querySelectorAll("#rows time")) time.textContent = clockOf(Date.parse(time.dateTime) / 1000);
tidy();
listen();
