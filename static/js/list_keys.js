// j and k walk the rows of a list (table[data-list-keys]), Enter opens the row's first link.

const rows = () => [...(document.querySelector("table[data-list-keys]")?.tBodies[0]?.rows ?? [])];
const isTyping = (target) => target.closest("input, textarea, select, button, [contenteditable]");

const walk = (step) => {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.dataset.current !== undefined);
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  delete all[at]?.dataset.current;
  next.dataset.current = "";
  // The focus goes along, so that a screen reader says the row and Enter is the link's own.
  next.querySelector("a")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("table[data-list-keys] tbody tr");
  for (const other of rows()) if (other !== row) delete other.dataset.current;
  if (row) row.dataset.current = "";
});
