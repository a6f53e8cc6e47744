// Native dialogs. data-dialog-open="id" opens, data-dialog-close closes; a dialog that arrives with data-dialog-autoopen opens at once.

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) {
    document.getElementById(opener.dataset.dialogOpen)?.showModal();
    return;
  }
  const closer = event.target.closest("[data-dialog-close]");
  if (closer) closer.closest("dialog")?.close();
  // A click on the backdrop lands on the dialog itself; one that holds a form stays, or a slip loses what was typed.
  if (event.target.matches("dialog[open]") && !event.target.querySelector("form:not([method=dialog])")) event.target.close();
});

const openArrived = (root) => {
  for (const dialog of root.querySelectorAll("dialog[data-dialog-autoopen]:not([open])")) dialog.showModal();
};

openArrived(document);
document.addEventListener("htmx:load", (event) => openArrived(event.detail.elt.parentElement ?? document));
