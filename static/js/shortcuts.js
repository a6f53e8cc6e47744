// Single keys outside of fields: / search, ? the list of keys, g then a letter for a place (data-goto), a letter for an action (data-shortcut).

const WAIT_MS = 1200;
let goPressedAt = 0;

const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const isVisible = (element) => element.checkVisibility();
const firstVisible = (selector) => [...document.querySelectorAll(selector)].find(isVisible);

const go = (key) => document.querySelector(`a[data-goto="${CSS.escape(key)}"]`);
const act = (key) => firstVisible(`[data-shortcut="${CSS.escape(key)}"]`);

const meaning = (event) => {
  if (performance.now() - goPressedAt < WAIT_MS) {
    goPressedAt = 0;
    return () => go(event.key)?.click();
  }
  switch (event.key) {
    case "/":
      return () => document.getElementById("global-search")?.select();
    case "?":
      return () => document.getElementById("shortcuts")?.showModal();
    case "g":
      return () => (goPressedAt = performance.now());
    default:
      return act(event.key) ? () => act(event.key).click() : null;
  }
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Escape" && isTyping(event.target) && !event.target.closest("dialog")) return event.target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const does = meaning(event);
  if (!does) return;
  event.preventDefault();
  does();
});
