//! An element of JSX as rules want it: its name, and its attributes with their values, also those that a spread object names.

use std::borrow::Cow;

use oxc::{
    ast::ast::{
        Expression, JSXAttributeItem, JSXAttributeName, JSXAttributeValue, JSXElementName, JSXExpression,
        JSXMemberExpression, JSXMemberExpressionObject, JSXOpeningElement, ObjectPropertyKind,
    },
    semantic::NodeId,
    span::{GetSpan, Span},
};

/// An opening tag.
pub(super) struct Element<'a> {
    /// As it is written: `img`, `svg:a`, `Link`, `Menu.Item`.
    pub(super) name: Cow<'a, str>,
    pub(super) node: NodeId,
    pub(super) span: Span,
    /// Just behind the name, where an attribute may be put in.
    pub(super) behind_name: u32,
    pub(super) attributes: Vec<Attribute<'a>>,
    /// Something else is spread into it, which nobody can read here.
    pub(super) opaque: bool,
}

/// One attribute.
pub(super) struct Attribute<'a> {
    pub(super) name: Cow<'a, str>,
    /// Name and value.
    pub(super) span: Span,
    pub(super) value_span: Span,
    pub(super) value: Value<'a>,
    /// It stands in an object that is spread.
    pub(super) spread: bool,
}

/// An attribute's value.
pub(super) enum Value<'a> {
    /// None: `disabled`.
    Flag,
    /// Plain text, in whichever quotes.
    Text(Cow<'a, str>),
    /// Something to be computed.
    Code(&'a Expression<'a>),
    /// An element.
    Other,
}

impl<'a> Element<'a> {
    pub(super) fn of(opening: &'a JSXOpeningElement<'a>, node: NodeId) -> Self {
        let mut element = Self {
            name: name(&opening.name),
            node,
            span: opening.span,
            behind_name: opening
                .type_arguments
                .as_ref()
                .map_or(opening.name.span().end, |types| types.span.end),
            attributes: Vec::with_capacity(opening.attributes.len()),
            opaque: false,
        };
        for item in &opening.attributes {
            match item {
                JSXAttributeItem::Attribute(attribute) => {
                    let name = match &attribute.name {
                        JSXAttributeName::Identifier(name) => Cow::Borrowed(name.name.as_str()),
                        JSXAttributeName::NamespacedName(name) => {
                            format!("{}:{}", name.namespace.name, name.name.name).into()
                        }
                    };
                    let value_span = attribute.value.as_ref().map_or(attribute.span, GetSpan::span);
                    let value = value(attribute.value.as_ref());
                    element.attributes.push(Attribute {
                        name,
                        span: attribute.span,
                        value_span,
                        value,
                        spread: false,
                    });
                }
                JSXAttributeItem::SpreadAttribute(spread) => element.spread(&spread.argument),
            }
        }
        element
    }

    fn spread(&mut self, argument: &'a Expression<'a>) {
        let Expression::ObjectExpression(object) = argument.get_inner_expression() else {
            self.opaque = true;
            return;
        };
        for property in &object.properties {
            let ObjectPropertyKind::ObjectProperty(property) = property else {
                self.opaque = true;
                continue;
            };
            let Some(name) = property.key.static_name() else {
                self.opaque = true;
                continue;
            };
            let value = of_expression(&property.value);
            let value_span = property.value.span();
            self.attributes.push(Attribute { name, span: property.span, value_span, value, spread: true });
        }
    }

    /// Is it an element of HTML or SVG, not a component?
    pub(super) fn is_intrinsic(&self) -> bool {
        self.name.starts_with(|c: char| c.is_ascii_lowercase()) && !self.name.contains('.')
    }

    /// Is it a custom element, whose attributes React passes on as they are?
    pub(super) fn is_custom(&self) -> bool {
        self.name.contains('-')
    }

    pub(super) fn get(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// An attribute's value, if it is there and plain text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }
}

impl Attribute<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Flag | Value::Code(_) | Value::Other => None,
        }
    }
}

fn name<'a>(name: &'a JSXElementName<'a>) -> Cow<'a, str> {
    match name {
        JSXElementName::Identifier(name) => name.name.as_str().into(),
        JSXElementName::IdentifierReference(name) => name.name.as_str().into(),
        JSXElementName::NamespacedName(name) => format!("{}:{}", name.namespace.name, name.name.name).into(),
        JSXElementName::MemberExpression(member) => path(member).into(),
        JSXElementName::ThisExpression(_) => "this".into(),
    }
}

fn path(member: &JSXMemberExpression<'_>) -> String {
    let object = match &member.object {
        JSXMemberExpressionObject::IdentifierReference(name) => name.name.to_string(),
        JSXMemberExpressionObject::MemberExpression(member) => path(member),
        JSXMemberExpressionObject::ThisExpression(_) => "this".into(),
    };
    format!("{object}.{}", member.property.name)
}

fn value<'a>(value: Option<&'a JSXAttributeValue<'a>>) -> Value<'a> {
    match value {
        None => Value::Flag,
        Some(JSXAttributeValue::StringLiteral(text)) => Value::Text(text.value.as_str().into()),
        Some(JSXAttributeValue::ExpressionContainer(container)) => match &container.expression {
            JSXExpression::EmptyExpression(_) => Value::Other,
            expression => expression.as_expression().map_or(Value::Other, of_expression),
        },
        Some(JSXAttributeValue::Element(_) | JSXAttributeValue::Fragment(_)) => Value::Other,
    }
}

fn of_expression<'a>(expression: &'a Expression<'a>) -> Value<'a> {
    match plain(expression) {
        Some(text) => Value::Text(text.into()),
        None => Value::Code(expression.get_inner_expression()),
    }
}

/// The text of a literal, in quotes or backquotes.
pub(super) fn plain<'a>(expression: &'a Expression<'a>) -> Option<&'a str> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => Some(text.value.as_str()),
        Expression::TemplateLiteral(template) if template.expressions.is_empty() => {
            template.quasis.first()?.value.cooked.as_ref().map(|text| text.as_str())
        }
        _ => None,
    }
}
