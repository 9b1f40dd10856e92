//! What an application tells of itself, and what it makes pages of: OpenAPI, GraphQL, templates.

mod graphql;
mod openapi;
mod templates;
