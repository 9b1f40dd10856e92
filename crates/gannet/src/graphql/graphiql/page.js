// Opens GraphiQL on the address that this page came from.
"use strict";

const url = location.pathname;
const subscriptionUrl = `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${url}`;
const fetcher = GraphiQL.createFetcher({ url, subscriptionUrl, fetch: (to, options) => fetch(to, { ...options, credentials: "same-origin" }) });
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultEditorToolsVisibility: true, shouldPersistHeaders: false }));
