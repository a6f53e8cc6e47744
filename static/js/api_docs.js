// Starts Swagger UI on the API's page. Calls made there use the session, so each carries the CSRF token.
const place = document.getElementById("api-docs");

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null,
  onComplete() {
    // Its list of calls is a second <main>; a page has one, and this is part of it.
    for (const inner of place.querySelectorAll("main")) inner.setAttribute("role", "none");
  },
  requestInterceptor(request) {
    request.headers["X-CSRFToken"] = place.dataset.csrf;
    return request;
  },
});
