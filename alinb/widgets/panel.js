// Draws the HTML that the kernel makes, and reports what people do to it. Only `view` is state;
// what is typed lives in the page alone and travels in messages that no notebook keeps.

const TAGS = new Set(("section header div p span strong em b i code pre ol ul li dl dt dd table " +
  "thead tbody tr th td caption form label input select option optgroup button textarea details " +
  "summary a time small del ins kbd progress fieldset legend br hr wbr").split(" "));
const ATTRIBUTES = new Set(("class type name value title href target rel placeholder disabled " +
  "checked selected open autocomplete autocapitalize spellcheck scope colspan rowspan tabindex " +
  "label min max step rows cols required readonly inputmode maxlength role lang dir hidden " +
  "datetime inert").split(" "));

const TAKES_KEYS = "button, input, select, textarea, a, summary, [tabindex]";

/** A second fence behind the kernel's escaping: nothing that could run or load is let in. */
function cleaned(node) {
  for (const child of [...node.children]) {
    if (!TAGS.has(child.localName)) { child.remove(); continue; }
    for (const { name, value } of [...child.attributes]) {
      const known = ATTRIBUTES.has(name) || name.startsWith("data-") || name.startsWith("aria-");
      const safe = name !== "href" || /^https?:\/\//i.test(value);
      if (!known || !safe) child.removeAttribute(name);
    }
    // JupyterLab asks the very element: it takes letters and Enter for shortcuts of its own.
    if (child.matches(TAKES_KEYS)) child.setAttribute("data-lm-suppress-shortcuts", "true");
    if (child.matches("input, textarea")) {
      // Neither a password store nor a spelling service gets to see what is typed.
      child.setAttribute("autocomplete", child.type === "password" ? "new-password" : "off");
      child.setAttribute("autocapitalize", "off");
      child.setAttribute("spellcheck", "false");
    }
    cleaned(child);
  }
  return node;
}

const keyOf = (node) => node?.nodeType === 1 ? node.getAttribute("data-key") : null;
const alike = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName
  && keyOf(a) === keyOf(b) && a.type === b.type;

/** Makes the children of `has` those of `wants`, keeping every node that can stay. */
function morph(has, wants) {
  const keyed = new Map([...has.children].filter(keyOf).map((child) => [keyOf(child), child]));
  const wanted = new Set([...wants.children].map(keyOf).filter(Boolean));
  let here = has.firstChild;
  for (const want of [...wants.childNodes]) {
    // What is no longer wanted goes first, so that what stays need not move and lose the focus.
    while (keyOf(here) && !wanted.has(keyOf(here))) {
      const gone = here; here = here.nextSibling; gone.remove();
    }
    const key = keyOf(want);
    let have = key ? keyed.get(key) : here;
    if (have && !alike(have, want)) have = null;
    if (!have) { has.insertBefore(want, here); continue; }
    if (have !== here) has.insertBefore(have, here); else here = here.nextSibling;
    patch(have, want);
  }
  while (here) { const gone = here; here = here.nextSibling; gone.remove(); }
}

function patch(have, want) {
  if (have.nodeType !== 1) { if (have.data !== want.data) have.data = want.data; return; }
  const before = have.getAttribute("value");
  const fresh = have.dataset.fresh !== want.dataset.fresh;
  for (const { name } of [...have.attributes]) {
    const own = name === "open" || (name === "class" && have.classList.contains("lit"));
    if (!own && !want.hasAttribute(name)) have.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (name === "open" || have.getAttribute(name) === value) continue;
    have.setAttribute(name, have.classList.contains("lit") && name === "class" ? value + " lit" : value);
  }
  if (have.localName === "input" && ["checkbox", "radio"].includes(have.type)) {
    have.checked = want.hasAttribute("checked");
  } else if (have.localName === "input" || have.localName === "textarea") {
    // The kernel's echo of an earlier key press must not undo a later one.
    const typing = have === have.ownerDocument.activeElement;
    const value = want.getAttribute("value") ?? "";
    if (fresh || (!typing && value !== (before ?? ""))) have.value = value;
    return;
  }
  if (!have.hasAttribute("data-whisper")) morph(have, want);
  if (have.localName === "select") {
    const chosen = [...have.options].find((option) => option.hasAttribute("selected"));
    if (chosen && have.value !== chosen.value) have.value = chosen.value;
  }
}

function spell(seconds) {
  if (seconds <= 0) return "over";
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"], [Math.floor(seconds) % 60, "s"]];
  const from = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(from < 0 ? 3 : from).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

async function copied(text, doc) {
  try { await doc.defaultView.navigator.clipboard.writeText(text); return true; } catch { /* below */ }
  const area = doc.createElement("textarea");
  area.value = text; doc.body.append(area); area.select();
  const done = doc.execCommand("copy");
  area.remove();
  return done;
}

function render({ model, el }) {
  const doc = el.ownerDocument;
  const root = doc.createElement("div");
  root.className = "alinb-panel";
  root.tabIndex = -1;
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  el.append(root);
  let sent = 0, answered = 0, submitted = 0, focus = "", waiting = new Map();

  const send = (act, more) => model.send({ act, n: ++sent, ...more });
  const flush = () => {
    if (answered < sent && waiting.size) return;
    for (const [, [act, more]] of waiting) send(act, more);
    waiting = new Map();
  };
  const tick = () => root.querySelectorAll("time[data-until]").forEach((time) => {
    const text = spell(Number(time.dataset.until) - Date.now() / 1000);
    if (time.textContent !== text) time.textContent = text;
  });
  const point = () => {
    if (!focus) return;
    const target = root.querySelector(`[data-key="${CSS.escape(focus)}"]`);
    if (target) { focus = ""; target.focus(); }
  };
  const draw = () => {
    const page = new DOMParser().parseFromString(model.get("view"), "text/html");
    const held = root.contains(doc.activeElement) ? doc.activeElement : null;
    morph(root, cleaned(page.body));
    tick(); point();
    if (held && (held.disabled || !root.contains(doc.activeElement))) {
      // What had the focus is gone, or takes no keys any more, and the browser would let go of it
      // too: the next step's field, else the panel, so that Tab goes on.
      (root.querySelector("[data-next]") ?? root).focus({ preventScroll: true });
    }
  };
  const heard = (message) => {
    if (message.ack) { answered = Math.max(answered, message.ack); flush(); }
    if (message.focus) { focus = message.focus; point(); }
    if (/^http:\/\/127\.0\.0\.1:\d+\//.test(message.probe ?? "")) {
      // Only the kernel's listener hears this; whether it did is seen by it coming alive.
      fetch(message.probe, { mode: "no-cors", credentials: "omit", cache: "no-store" })
        .catch(() => send("unreached", {}));
    }
    if (message.whisper) {
      root.querySelectorAll(`[data-whisper="${CSS.escape(message.whisper)}"]`)
        .forEach((place) => { place.textContent = message.text; });
    }
  };
  const light = (event) => {
    const name = event.target.closest?.("[data-param]")?.dataset.param;
    root.querySelectorAll("[data-param]").forEach((node) => {
      node.classList.toggle("lit", name !== undefined && node.dataset.param === name);
    });
  };

  root.addEventListener("input", (event) => {
    const { act, arg, when } = event.target.dataset;
    if (!act || when === "change") return;
    // One message under way; of the key presses meanwhile only the last counts.
    waiting.set(`${act} ${arg}`, [act, { arg, value: valueOf(event.target) }]);
    if (answered >= sent) flush();
  });
  root.addEventListener("change", (event) => {
    const { act, arg, when } = event.target.dataset;
    if (act && when === "change") send(act, { arg, value: valueOf(event.target) });
  });
  root.addEventListener("keydown", (event) => {
    // JupyterLab keeps Enter in a field from sending its form.
    const { form, localName } = event.target;
    if (event.key !== "Enter" || event.isComposing || localName !== "input" || !form) return;
    event.preventDefault();
    const button = [...form.elements].find((part) => part.type === "submit");
    if (!button?.disabled) form.requestSubmit(button);
  });
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.target, fields = {};
    // Sent once: a second Enter before the answer is no second try.
    if (answered < submitted) return;
    for (const field of form.elements) {
      if (!field.name) continue;
      fields[field.name] = valueOf(field);
      if (field.dataset.secret !== undefined) field.value = "";
    }
    waiting = new Map();
    send(form.dataset.act, { arg: event.submitter?.dataset.arg ?? form.dataset.arg, fields });
    submitted = sent;
  });
  root.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button || button.disabled) return;
    if (button.dataset.copy !== undefined) {
      const done = await copied(button.dataset.copy, doc);
      heard({ whisper: "copied", text: done ? "Copied." : "The browser does not allow copying." });
    }
    if (button.type === "button" && button.dataset.act) {
      flushNow();
      send(button.dataset.act, { arg: button.dataset.arg, fields: {} });
    }
  });
  const flushNow = () => {
    for (const [, [act, more]] of waiting) send(act, more);
    waiting = new Map();
  };
  for (const name of ["pointerover", "focusin"]) root.addEventListener(name, light);
  root.addEventListener("pointerleave", () => {
    light({ target: root.contains(doc.activeElement) ? doc.activeElement : root });
  });

  model.on("change:view", draw);
  model.on("msg:custom", heard);
  const clock = setInterval(tick, 1000);
  draw();
  send("hello", { value: doc.defaultView.location.hostname });
  return () => {
    clearInterval(clock);
    model.off("change:view", draw);
    model.off("msg:custom", heard);
  };
}

const valueOf = (field) => field.type === "checkbox" ? (field.checked ? "on" : "") : field.value;

export default { render };
