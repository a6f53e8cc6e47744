// What htmx could not do is told, never swallowed. The words are in data attributes of #toasts, in the person's language.

const words = document.getElementById("toasts").dataset;
const tell = (text) => document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "error" } }));

const BY_STATUS = { 401: words.signedOut, 403: words.denied, 404: words.gone, 410: words.gone, 429: words.tooMany };

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  tell(BY_STATUS[status] ?? words.failed);
});

document.addEventListener("htmx:sendError", () => tell(words.network));
document.addEventListener("htmx:timeout", () => tell(words.network));

// 409, 412 and 422 bring a fragment that explains itself: the form with its errors, the conflict dialog.
document.addEventListener("htmx:beforeSwap", (event) => {
  if ([409, 412, 422].includes(event.detail.xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

// A sign-in page in place of a fragment means that the session has ended: go there as a page.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const answered = event.detail.xhr.responseURL;
  if (answered && new URL(answered).pathname.endsWith("/account/login/")) {
    event.preventDefault();
    location.reload();
  }
});
