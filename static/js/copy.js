// data-copy="text" puts the text on the clipboard; an empty one copies the text of the element that data-copy-from names.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  await navigator.clipboard.writeText(button.dataset.copy || source?.textContent.trim() || "");
  const text = document.getElementById("toasts").dataset.copied;
  document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "success" } }));
});
