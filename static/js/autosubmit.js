// A form with data-autosubmit sends itself: at once when a choice changes, after a pause while words are typed.

const PAUSE_MS = 350;
const timers = new WeakMap();

const formOf = (event) => event.target.closest?.("form[data-autosubmit]");

document.addEventListener("change", (event) => {
  const form = formOf(event);
  if (!form) return;
  clearTimeout(timers.get(form));
  form.requestSubmit();
});

document.addEventListener("input", (event) => {
  const form = formOf(event);
  // Only where htmx swaps the answer in: a whole page would take the words from under the fingers.
  if (!form?.hasAttribute("hx-get") || event.isComposing || !event.target.matches("input[type=search], input[type=text]")) return;
  clearTimeout(timers.get(form));
  timers.set(
    form,
    setTimeout(() => form.requestSubmit(), PAUSE_MS),
  );
});

// Empty fields would fill the address with "&status=&team=".
document.addEventListener("formdata", (event) => {
  if (!event.target.matches("form[data-autosubmit][method=get]")) return;
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
