//! Which of the process's services a span belongs to, and the tracer that acts on it.
//!
//! [`Owners`] stands before the OpenTelemetry layer and notes each new span's owner; the layer asks the
//! [`Router`] for a builder right after, on the same thread, and the router marks that builder. Spans are built
//! later, from wherever they are first entered, so the mark has to travel in the builder.

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{SpanBuilder, Tracer},
};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use std::{borrow::Cow, cell::Cell, fmt};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

const MARK: &str = "resettle.owner";

thread_local! {
    static OWNER_OF_NEW_SPAN: Cell<usize> = const { Cell::new(0) };
}

/// The index of the service that a span belongs to, kept with the span.
#[derive(Clone, Copy)]
struct Owner(usize);

/// Finds each span's owner.
pub(crate) struct Owners {
    /// Names as given to `init`, and as crates are named in targets.
    services: Vec<(&'static str, String)>,
}

impl Owners {
    pub(crate) fn new(services: &[&'static str]) -> Self {
        Self { services: services.iter().map(|name| (*name, name.replace('-', "_"))).collect() }
    }

    fn of_root(&self, attributes: &Attributes<'_>) -> usize {
        let mut named = ServiceField(None);
        attributes.record(&mut named);
        let target = attributes.metadata().target();
        let krate = target.split_once("::").map_or(target, |(krate, _)| krate);
        let by_name = named.0.and_then(|wanted| self.services.iter().position(|(name, _)| *name == wanted));
        by_name.or_else(|| self.services.iter().position(|(_, name)| name == krate)).unwrap_or(0)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Owners {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let inherited = span.parent().and_then(|parent| parent.extensions().get::<Owner>().copied());
        let owner = inherited.unwrap_or_else(|| Owner(self.of_root(attributes)));
        span.extensions_mut().insert(owner);
        OWNER_OF_NEW_SPAN.set(owner.0);
    }
}

struct ServiceField(Option<String>);

impl Visit for ServiceField {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "service" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// One tracer in front of one tracer per service.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    /// In the order of the services; never empty.
    tracers: Vec<SdkTracer>,
}

impl Router {
    pub(crate) fn new(tracers: Vec<SdkTracer>) -> Self {
        Self { tracers }
    }
}

impl Tracer for Router {
    type Span = Span;

    fn span_builder<T: Into<Cow<'static, str>>>(&self, name: T) -> SpanBuilder {
        let owner = i64::try_from(OWNER_OF_NEW_SPAN.get()).unwrap_or(0);
        SpanBuilder::from_name(name).with_attributes([KeyValue::new(MARK, owner)])
    }

    fn build_with_context(&self, mut builder: SpanBuilder, parent: &Context) -> Span {
        let mut owner = 0;
        if let Some(attributes) = &mut builder.attributes {
            attributes.retain(|attribute| match (&attribute.key, &attribute.value) {
                (key, Value::I64(index)) if key.as_str() == MARK => {
                    owner = usize::try_from(*index).unwrap_or(0);
                    false
                }
                _ => true,
            });
        }
        self.tracers.get(owner).unwrap_or(&self.tracers[0]).build_with_context(builder, parent)
    }
}
