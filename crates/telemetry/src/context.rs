//! The W3C trace context of a span, as the text that rides on rows, messages and headers.

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use std::collections::HashMap;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The current span as `traceparent` and `tracestate`; nothing when the current span is not traced.
pub fn current_context() -> (Option<String>, Option<String>) {
    let mut carrier = HashMap::new();
    inject(&mut carrier);
    // An empty tracestate says nothing, and some receivers refuse it.
    (carrier.remove("traceparent"), carrier.remove("tracestate").filter(|state| !state.is_empty()))
}

/// Makes a span the child of a remote one. Call it before the span is first entered; a context that is absent
/// or cannot be read leaves the span as it is.
pub fn set_parent(span: &Span, traceparent: Option<&str>, tracestate: Option<&str>) {
    if let Some(context) = parse(traceparent, tracestate) {
        adopt(span, context);
    }
}

/// Links a span to a remote one that is not its parent: the request of a retry, the message that woke us.
pub fn add_link(span: &Span, traceparent: Option<&str>, tracestate: Option<&str>) {
    if let Some(context) = parse(traceparent, tracestate) {
        span.add_link(context.span().span_context().clone());
    }
}

/// The id of the current span's trace, 32 hexadecimal digits.
pub fn trace_id() -> Option<String> {
    let context = Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

pub(crate) fn inject(carrier: &mut dyn Injector) {
    TraceContextPropagator::new().inject_context(&Span::current().context(), carrier);
}

/// Makes a span the child of what the carrier holds, if it holds anything.
pub(crate) fn extract(span: &Span, carrier: &dyn Extractor) {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), carrier);
    if context.span().span_context().is_valid() {
        adopt(span, context);
    }
}

fn adopt(span: &Span, context: Context) {
    // It fails when the span was entered already, or when there is no tracing at all, as in many tests.
    if let Err(error) = span.set_parent(context) {
        tracing::debug!(%error, "the span keeps its own trace");
    }
}

fn parse(traceparent: Option<&str>, tracestate: Option<&str>) -> Option<Context> {
    let mut carrier = HashMap::from([("traceparent".to_owned(), traceparent?.to_owned())]);
    carrier.extend(tracestate.map(|state| ("tracestate".to_owned(), state.to_owned())));
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    context.span().span_context().is_valid().then_some(context)
}
