/* Opens the four documents; nothing is sent anywhere but to this server. */
window.addEventListener("load", function () {
  window.ui = SwaggerUIBundle({
    dom_id: "#documents",
    urls: [
      { name: "居民 / residents", url: "/openapi/resident.json" },
      { name: "合作方 / partners", url: "/openapi/partner.json" },
      { name: "商户 / merchants", url: "/openapi/merchant.json" },
      { name: "公开 / public", url: "/openapi/public.json" }
    ],
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    layout: "StandaloneLayout",
    validatorUrl: null,
    deepLinking: true,
    persistAuthorization: false
  });
});
