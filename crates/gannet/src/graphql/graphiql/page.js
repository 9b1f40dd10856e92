// Opens GraphiQL on the address that this page came from.
"use strict";

const url = location.pathname;
const fetcher = GraphiQL.createFetcher({ url, fetch: (to, options) => fetch(to, { ...options, credentials: "same-origin" }) });
ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, { fetcher, defaultEditorToolsVisibility: true, shouldPersistHeaders: false }));
