"use strict";
// The search would run in a worker made of a blob, which the content policy does not allow.
Redoc.init("openapi.json", { disableSearch: true, nativeScrollbars: true }, document.getElementById("api"));
