// Asks before a form is sent: data-confirm="question" on the form or its button, data-confirm-text, data-confirm-action.
// Works for plain forms and, through hx-confirm's event, for htmx.

const dialog = document.getElementById("confirm");
const agreed = new WeakSet();

const part = (name) => dialog.querySelector(`[data-confirm-${name}]`);
const usual = { title: part("title").textContent, text: part("text").textContent, yes: part("yes").textContent };

const ask = (question, { confirmText, confirmAction } = {}) =>
  new Promise((resolve) => {
    part("title").textContent = question || usual.title;
    part("text").textContent = confirmText ?? usual.text;
    part("yes").textContent = confirmAction ?? usual.yes;
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
  });

// In the capture phase, so that htmx sees the form only after the answer.
document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const asking = event.submitter?.dataset.confirm !== undefined ? event.submitter : form;
    if (asking.dataset.confirm === undefined || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    if (await ask(asking.dataset.confirm, asking.dataset)) {
      agreed.add(form);
      form.requestSubmit(submitter);
    }
  },
  true,
);

document.addEventListener("htmx:confirm", async (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  if (await ask(event.detail.question, event.detail.elt.dataset)) event.detail.issueRequest(true);
});
