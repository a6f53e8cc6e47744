// Starts Swagger UI on the API's page. Calls made there use the session, so each carries the CSRF token.
const place = document.getElementById("api-docs");

// Its list of calls is a second <main>; a page has one, and this is part of it. Swagger UI draws it anew whenever it likes.
new MutationObserver(() => {
  for (const inner of place.querySelectorAll("main:not([role])")) inner.setAttribute("role", "group"); // "none" does not hold for what can have the focus
}).observe(place, { childList: true, subtree: true });

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
  requestInterceptor(request) {
    request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
