//! The rules, one a file. Each says in its file what it finds, and on its page of `docs/lint` why.

pub(super) mod document_as_text;
pub(super) mod dom_mutation;
pub(super) mod dynamic_require;
pub(super) mod empty_string_boolean;
pub(super) mod ignore_flag;
pub(super) mod img_element;
pub(super) mod inner_html;
pub(super) mod javascript_url;
pub(super) mod metadata_key_colon;
pub(super) mod raw_redirect_source;
pub(super) mod raw_route_folder;
pub(super) mod secret;
pub(super) mod server_only_module;
pub(super) mod ssr_window_access;
pub(super) mod string_handler;
pub(super) mod stylesheet_without_precedence;
pub(super) mod tailwind_overflow;
pub(super) mod uncontrolled_script;
pub(super) mod unneeded_use_client;

mod entropy;
