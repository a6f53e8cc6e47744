// Builds a rule on a form[data-rule-builder]: rows made from templates, the rule as JSON in the hidden field, and beside it who
// fits now. What may be asked comes from the page (#rule-offer); what is right, the server says, naming nodes by their path.

const PAUSE_MS = 400;
const form = document.querySelector("form[data-rule-builder]");
const read = (id) => JSON.parse(document.getElementById(id).textContent);
const offer = read("rule-offer");
const hidden = form.querySelector("input[data-rule]");
const root = form.querySelector("[data-rule-root]");
const preview = form.querySelector("[data-rule-preview]");
const words = Object.fromEntries(
  [...document.getElementById("rule-words").content.querySelectorAll("[data-word]")].map((one) => [one.dataset.word, one.textContent]),
);

const fieldsOf = (fields) => new Map(fields.map((field) => [field.key, field]));
const ofCustomer = fieldsOf(offer.groups.flatMap((group) => group.fields));
const nouns = new Map(offer.nouns.map((noun) => [noun.key, { ...noun, byKey: fieldsOf(noun.fields) }]));
const NOUN = "related:"; // before a noun's key in the list of fields

const stamp = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);
const part = (node, name) => [...node.querySelectorAll(`[data-part=${name}]`)].find((one) => one.closest("[data-node]") === node);
const below = (node) => [...part(node, "nodes").children];
const nounOf = (leaf) => leaf.parentElement.closest("[data-node=leaf]")?.dataset.noun;

// ── Controls ────────────────────────────────────────────────────────────────────────────────────────────────────────

const option = (value, label, chosen) => new Option(label, value, chosen, chosen);

const fill = (select, pairs, chosen) => select.replaceChildren(...pairs.map(([value, label]) => option(value, label, String(value) === String(chosen))));

const control = (tag, label, values = {}) => {
  const made = Object.assign(document.createElement(tag), values);
  made.className = tag === "select" ? "form-select" : "form-control";
  made.setAttribute("aria-label", label);
  return made;
};

const inputOf = (field, label, value) => {
  if (field.choices || field.rows) {
    const select = control("select", label);
    fill(select, field.choices ?? offer.rows[field.rows], value);
    return select;
  }
  if (field.kind === "number") {
    const shown = typeof value === "number" ? (field.share ? +(value * 100).toPrecision(12) : value) : "";
    return control("input", field.share ? words.percent : label, { type: "number", step: "any", value: shown });
  }
  const input = control("input", label, { type: field.kind === "day" ? "date" : "text", value: value ?? "", maxLength: field.kind === "day" ? 10 : 200 });
  if (field.suggestions) {
    const list = Object.assign(document.createElement("datalist"), { id: `suggestions-${field.key}` });
    if (!document.getElementById(list.id)) {
      list.append(...field.suggestions.map((one) => option(one, one)));
      form.append(list);
    }
    input.setAttribute("list", list.id);
  }
  return input;
};

const checkboxes = (field, chosen) => {
  const box = document.createElement("div");
  box.className = "rule-choices";
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", words.choices);
  for (const [value, label] of field.choices ?? offer.rows[field.rows]) {
    const line = document.createElement("label");
    const check = Object.assign(document.createElement("input"), { type: "checkbox", className: "form-check-input", checked: chosen.includes(value) });
    check.dataset.value = JSON.stringify(value);
    line.append(check, label);
    box.append(line);
  }
  return box;
};

const valueControls = (field, takes, value) => {
  switch (takes) {
    case "one":
      return [inputOf(field, words.value, value)];
    case "many":
      if (field.choices || field.rows) return [checkboxes(field, Array.isArray(value) ? value : [])];
      return [control("input", words.tags, { type: "text", placeholder: words.tags, value: Array.isArray(value) ? value.join(", ") : "" })];
    case "pair":
      return [words.from, words.to].map((label, at) => inputOf(field, label, Array.isArray(value) ? value[at] : undefined));
    case "span": {
      const unit = control("select", words.unit);
      fill(unit, offer.units, value?.unit ?? "days");
      return [control("input", words.number, { type: "number", min: 0, step: 1, value: value?.n ?? "" }), unit];
    }
    case "period": {
      const select = control("select", words.value);
      fill(select, offer.periods, typeof value === "string" ? value : "this_quarter");
      return [select];
    }
    default:
      return [];
  }
};

const plainOf = (field, input) => {
  const text = input.value.trim();
  if (text === "") return undefined;
  if (field.kind === "number") return field.share ? +(Number(text) / 100).toPrecision(12) : Number(text);
  return text;
};

// Undefined where something is still to be filled in.
const valueOf = (leaf, field, takes) => {
  const controls = [...part(leaf, "value").children];
  switch (takes) {
    case "one":
      return plainOf(field, controls[0]);
    case "many": {
      const chosen =
        field.choices || field.rows
          ? [...controls[0].querySelectorAll("input:checked")].map((one) => JSON.parse(one.dataset.value))
          : controls[0].value.split(/[,，、]/).map((one) => one.trim()).filter(Boolean);
      return chosen.length ? chosen : undefined;
    }
    case "pair": {
      const pair = controls.map((one) => plainOf(field, one));
      return pair.includes(undefined) ? undefined : pair;
    }
    case "span":
      return controls[0].value.trim() === "" ? undefined : { n: Number(controls[0].value), unit: controls[1].value };
    case "period":
      return controls[0].value;
    default:
      return null;
  }
};

// ── From the rule to rows ───────────────────────────────────────────────────────────────────────────────────────────

const groupOf = (tree) => {
  const word = tree && typeof tree === "object" ? Object.keys(tree)[0] : "";
  const nodes = tree?.[word];
  if ((word === "all" || word === "any") && Array.isArray(nodes)) return { mode: word, nodes };
  if (word === "not") {
    const inner = groupOf(nodes);
    if (inner?.mode === "any") return { mode: "none", nodes: inner.nodes };
    return { mode: "not_all", nodes: inner?.mode === "all" ? inner.nodes : [nodes] };
  }
  return null;
};

const makeNode = (tree) => {
  const group = groupOf(tree);
  return group ? makeGroup(group) : makeLeaf(tree ?? {});
};

const makeGroup = ({ mode, nodes }) => {
  const group = stamp("rule-group");
  part(group, "mode").value = mode;
  part(group, "nodes").append(...nodes.map(makeNode));
  return group;
};

const makeLeaf = (tree, noun) => {
  const leaf = stamp("rule-leaf");
  const select = part(leaf, "field");
  select.setAttribute("aria-label", words.field);
  part(leaf, "question").setAttribute("aria-label", words.question);
  fill(select, [["", words.choose]]);
  if (noun) select.append(...noun.fields.map((field) => option(field.key, field.label)));
  else {
    const groups = [...offer.groups.map((group) => [group.label, group.fields]), [words.around, offer.nouns.map((one) => ({ ...one, key: NOUN + one.key }))]];
    for (const [label, fields] of groups) {
      const made = Object.assign(document.createElement("optgroup"), { label });
      made.append(...fields.map((field) => option(field.key, field.label)));
      select.append(made);
    }
  }
  select.value = tree.related ? NOUN + tree.related : (tree.field ?? "");
  if (select.selectedIndex < 0) select.value = ""; // a field that is gone
  showQuestions(leaf, noun, tree);
  return leaf;
};

const showQuestions = (leaf, noun, tree = {}) => {
  const chosen = part(leaf, "field").value;
  const question = part(leaf, "question");
  const related = !noun && chosen.startsWith(NOUN) ? nouns.get(chosen.slice(NOUN.length)) : null;
  part(leaf, "where").hidden = !related;
  part(leaf, "nodes").replaceChildren();
  leaf.dataset.noun = related?.key ?? "";
  question.hidden = !chosen;
  if (related) {
    fill(question, offer.quantifiers, tree.is);
    part(leaf, "nodes").append(...(Array.isArray(tree.where) ? tree.where : []).map((one) => makeLeaf(one ?? {}, related)));
  } else if (chosen) {
    const field = (noun?.byKey ?? ofCustomer).get(chosen);
    fill(question, field.operators.map((key) => [key, offer.operators[key].label]), tree.is);
  }
  showValue(leaf, noun, related ? tree.count : tree.value);
};

const showValue = (leaf, noun, value) => {
  const { field, takes } = askedOf(leaf, noun);
  const controls = field ? valueControls(field, takes, value) : [];
  part(leaf, "value").replaceChildren(...controls);
};

// What a row asks: a field and what its question takes; of a noun the number that "at least" takes.
const askedOf = (leaf, noun) => {
  const chosen = part(leaf, "field").value;
  const question = part(leaf, "question").value;
  if (leaf.dataset.noun) return { field: { kind: "number" }, takes: question === "at_least" ? "one" : "none" };
  const field = (noun?.byKey ?? ofCustomer).get(chosen);
  return { field, takes: field && offer.operators[question]?.takes };
};

// ── From rows to the rule ───────────────────────────────────────────────────────────────────────────────────────────

// The tree, with each node's element by its path, and whether everything is filled in.
const written = () => {
  const places = new Map();
  let isComplete = true;
  const leafTree = (leaf, path, noun) => {
    places.set(path, leaf);
    const { field, takes } = askedOf(leaf, noun);
    if (!field) {
      isComplete = false;
      return { field: "" };
    }
    const value = valueOf(leaf, field, takes);
    if (value === undefined) isComplete = false;
    const is = part(leaf, "question").value;
    if (!leaf.dataset.noun) return { field: part(leaf, "field").value, is, ...(value == null ? {} : { value }) };
    const related = nouns.get(leaf.dataset.noun);
    const where = below(leaf).map((one, at) => leafTree(one, join(path, `where.${at}`), related));
    return { related: related.key, is, ...(value == null ? {} : { count: value }), where };
  };
  const tree = (node, path) => {
    if (node.dataset.node === "leaf") return leafTree(node, path);
    places.set(path, node);
    const mode = part(node, "mode").value;
    const isNot = mode === "none" || mode === "not_all";
    const word = mode === "any" || mode === "none" ? "any" : "all";
    const nodes = below(node).map((one, at) => tree(one, join(path, `${isNot ? "not." : ""}${word}.${at}`)));
    if (!nodes.length) isComplete = false;
    return isNot ? { not: { [word]: nodes } } : { [word]: nodes };
  };
  const rule = tree(root.firstElementChild, "");
  return { rule, places, isComplete };
};

const join = (path, name) => (path ? `${path}.${name}` : name);

const showProblems = (problems, places) => {
  for (const line of root.querySelectorAll("[data-part=error]")) Object.assign(line, { hidden: true, textContent: "" });
  for (const control of root.querySelectorAll("[aria-invalid]")) control.removeAttribute("aria-invalid");
  for (const { path, message } of problems) {
    let at = path;
    while (at && !places.has(at)) at = at.split(".").slice(0, -1).join(".");
    const node = places.get(at) ?? root.firstElementChild;
    const line = part(node, "error");
    line.textContent = `${line.textContent} ${message}`.trim();
    line.hidden = false;
    (part(node, "mode") ?? part(node, "value").querySelector("input, select") ?? part(node, "field")).setAttribute("aria-invalid", "true");
  }
};

// ── Who fits now ────────────────────────────────────────────────────────────────────────────────────────────────────

let timer = 0;
let asked = 0;

const say = (text) => {
  const line = document.createElement("p");
  line.className = "muted";
  line.textContent = text;
  preview.replaceChildren(line);
};

const ask = async () => {
  const { rule, places, isComplete } = written();
  const turn = ++asked;
  if (!isComplete) return say(root.querySelector("[data-node=leaf]") ? words.incomplete : words.empty);
  say(words.counting);
  const body = new FormData();
  body.set("rule", JSON.stringify(rule));
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  let answer;
  try {
    const response = await fetch(form.dataset.preview, { method: "POST", body, headers: { "HX-Request": "true" } });
    answer = response.ok && (await response.json());
  } catch {
    answer = null; // offline: said below
  }
  if (turn !== asked) return; // something was changed meanwhile
  if (!answer) return say(words.failed);
  showProblems(answer.problems, places);
  if (answer.problems.length) return say(words.wrong);
  preview.innerHTML = answer.html;
};

const changed = () => {
  hidden.value = JSON.stringify(written().rule);
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE_MS);
};

// ── What people do ──────────────────────────────────────────────────────────────────────────────────────────────────

const focusOn = (node) => (part(node, "field") ?? part(node, "mode")).focus();

const touched = () => {
  form.dispatchEvent(new Event("input", { bubbles: true })); // for data-guard
  changed();
};

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (!button) return;
  const node = button.closest("[data-node]");
  if (button.dataset.act === "remove") {
    const near = node.nextElementSibling ?? node.previousElementSibling ?? node.parentElement.closest("[data-node]");
    node.remove();
    focusOn(near);
  } else {
    const noun = button.dataset.act === "add-where" ? nouns.get(node.dataset.noun) : undefined;
    const made = button.dataset.act === "add-group" ? makeGroup({ mode: "any", nodes: [{}] }) : makeLeaf({}, noun);
    part(node, "nodes").append(made);
    focusOn(made);
  }
  touched();
});

root.addEventListener("change", (event) => {
  const leaf = event.target.closest("[data-node=leaf]");
  const name = event.target.dataset.part;
  if (leaf && name === "field") showQuestions(leaf, nouns.get(nounOf(leaf)));
  if (leaf && name === "question") showValue(leaf, nouns.get(nounOf(leaf)));
  changed();
});

root.addEventListener("input", changed);

// Enter in a value would save a rule that is still being written.
root.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input")) event.preventDefault();
});

form.addEventListener("submit", () => {
  hidden.value = JSON.stringify(written().rule);
});

const start = read("rule-tree");
const isRule = start && typeof start === "object" && Object.keys(start).length;
root.append(makeGroup(groupOf(start) ?? { mode: "all", nodes: isRule ? [start] : [] }));
root.firstElementChild.querySelector("[data-act=remove]").remove();
if (!below(root.firstElementChild).length) part(root.firstElementChild, "nodes").append(makeLeaf({}));
hidden.value = JSON.stringify(written().rule);
showProblems(read("rule-problems"), written().places);
if (!read("rule-problems").length) ask();
