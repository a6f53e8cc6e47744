// A field that suggests while one types ([data-lookup="address"]): the answer is a list of options, the chosen one's id goes
// into the hidden field beside it. Keys as in the ARIA combobox pattern: down, up, Enter, Escape.

const PAUSE_MS = 250;
const timers = new WeakMap();

const parts = (node) => {
  const box = node.closest?.("[data-lookup]");
  return box && { box, hidden: box.querySelector("input[type=hidden]"), input: box.querySelector("[role=combobox]"), list: box.querySelector("[role=listbox]") };
};

const close = ({ input, list }) => {
  list.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
};

const choose = (field, option) => {
  field.hidden.value = option.dataset.value;
  field.input.value = option.dataset.label;
  close(field);
  field.hidden.dispatchEvent(new Event("change", { bubbles: true }));
};

const suggest = async (field) => {
  const words = field.input.value.trim();
  const separator = field.box.dataset.lookup.includes("?") ? "&" : "?";
  const answer = await fetch(`${field.box.dataset.lookup}${separator}q=${encodeURIComponent(words)}`, { headers: { "HX-Request": "true" } });
  if (!answer.ok || words !== field.input.value.trim() || document.activeElement !== field.input) return;
  field.list.innerHTML = await answer.text();
  for (const [at, option] of [...field.list.querySelectorAll("[role=option]")].entries()) option.id = `${field.list.id}_${at}`;
  field.list.hidden = false;
  field.input.setAttribute("aria-expanded", "true");
};

document.addEventListener("input", (event) => {
  const field = parts(event.target);
  if (!field || event.target !== field.input) return;
  field.hidden.value = ""; // what is typed is not yet chosen
  clearTimeout(timers.get(field.box));
  if (!field.input.value.trim()) return close(field);
  timers.set(field.box, setTimeout(() => suggest(field), PAUSE_MS));
});

const step = (field, by) => {
  const options = [...field.list.querySelectorAll("[role=option]")];
  if (!options.length || field.list.hidden) return;
  const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = options[(at + by + options.length) % options.length];
  options[at]?.removeAttribute("aria-selected");
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "nearest" });
  field.input.setAttribute("aria-activedescendant", next.id);
};

document.addEventListener("keydown", (event) => {
  const field = parts(event.target);
  if (!field || field.list.hidden) return;
  const selected = field.list.querySelector("[aria-selected=true]");
  if (event.key === "ArrowDown") step(field, 1);
  else if (event.key === "ArrowUp") step(field, -1);
  else if (event.key === "Escape") close(field);
  else if (event.key === "Enter" && selected) choose(field, selected);
  else return;
  event.preventDefault();
});

// Before the focus moves, or the list would be gone when the click arrives.
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest?.("[data-lookup] [role=option]");
  if (!option) return;
  event.preventDefault();
  choose(parts(option), option);
});

document.addEventListener("focusout", (event) => {
  const field = parts(event.target);
  if (!field) return;
  close(field);
  if (!field.hidden.value) field.input.value = ""; // words that name nothing would look like a choice
});
