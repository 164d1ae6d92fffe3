//! Pages made up at random, of all that HTML has and nothing that its parser would repair.

use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    sample::select,
    strategy::{BoxedStrategy, Just},
};

/// Texts in which the rules of HTML, JSX and JavaScript meet.
const WORDS: &[&str] = &[
    "word",
    "two words",
    "{",
    "}",
    "{x}",
    "{{ x }}",
    "${x}",
    "`",
    "\\",
    "\\n",
    "\"",
    "'",
    "&amp;",
    "&lt;b>",
    "&amp;amp;",
    "&nbsp;",
    "&shy;",
    "&#8203;",
    "é",
    "\u{1F600}",
    "&#x2028;",
    "//",
    "/* c */",
    "*/",
    "&lt;!-- x -->",
    "=>",
    "a\nb",
    "  ",
    "\n",
    "\t",
    "&copy;2020",
    "100%",
    "&gt;",
    "]]&gt;",
    "<!-- gone -->",
    "<br>",
    "&zwj;",
    "&#x202e;",
    "0",
    "false",
];
const VALUES: &[&str] = &[
    "",
    "x",
    "a b",
    "0",
    "007",
    "1.5",
    "-1",
    "true",
    "false",
    "{",
    "}}",
    "&quot;",
    "'",
    "&amp;",
    "&amp;amp;",
    "\\",
    "\n",
    "é",
    "a&nbsp;b",
    "&lt;i>",
    "`${x}`",
    "100%",
    "auto",
    "none",
    "  edge ",
    "javascript",
    "TRUE",
    "on",
    "&#x2028;",
];
/// Attributes that any element may have.
const GLOBAL: &[&str] = &[
    "class",
    "id",
    "title",
    "lang",
    "dir",
    "tabindex",
    "hidden",
    "data-x",
    "data-camelCase",
    "data-a-b",
    "aria-label",
    "aria-hidden",
    "aria-level",
    "aria-current",
    "role",
    "itemprop",
    "itemscope",
    "property",
    "accesskey",
    "contenteditable",
    "draggable",
    "spellcheck",
    "translate",
    "slot",
    "part",
    "inert",
    "align",
    "bgcolor",
    "name",
    "onclick",
    "unknown",
    "xml:lang",
    "v-bind:x",
    "x.y",
    "popover",
    "enterkeyhint",
    "nonce",
    "autocapitalize",
    "width",
    "height",
    "border",
    "size",
    "type",
    "value",
    "color",
    "for",
];
const STYLES: &[&str] = &[
    "color: red",
    "COLOR: RED",
    "margin: 0 auto",
    "--gap: 2px",
    "--Gap: { a: b }",
    "background: url('/a;b.png')",
    "content: \"a;b\"",
    "-webkit-line-clamp: 2",
    "-ms-flex: 1",
    "*zoom: 1",
    "_height: 1px",
    "float: left",
    "opacity: .5",
    "line-height: 1",
    "z-index: 3",
    "width: 100",
    "font: 12px/1 'A B', serif",
    "color",
    ": red",
    "",
    "/* c */ top: 0",
    "flex: 1",
    "transition: all .2s",
];
const SPANS: &[&str] = &[
    "b", "i", "em", "span", "code", "font", "tt", "big", "abbr", "q", "kbd", "label", "x-card", "cite", "u",
    "nobr", "blink", "ins",
];
const FLOWS: &[&str] = &[
    "div",
    "section",
    "article",
    "blockquote",
    "main",
    "center",
    "header",
    "aside",
    "fieldset",
    "figure",
    "address",
    "hgroup",
    "search",
];

fn text() -> BoxedStrategy<String> {
    vec(select(WORDS), 1..4).prop_map(|words| words.concat()).boxed()
}

fn attributes() -> BoxedStrategy<String> {
    let one = (select(GLOBAL), select(VALUES)).prop_map(|(name, value)| (name, value.to_owned()));
    let style =
        vec(select(STYLES), 1..5).prop_map(|styles| ("style", styles.join(";").replace('"', "&quot;")));
    vec(prop_oneof![4 => one, 1 => style], 0..4)
        .prop_map(|pairs| {
            let mut named = std::collections::BTreeMap::new();
            named.extend(pairs);
            named.iter().map(|(name, value)| format!(" {name}=\"{value}\"")).collect()
        })
        .boxed()
}

fn wrapped(tag: &'static str, inner: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    (attributes(), inner)
        .prop_map(move |(attributes, inner)| format!("<{tag}{attributes}>{inner}</{tag}>"))
        .boxed()
}

/// What has nothing inside, or nothing but its own.
fn leaf() -> BoxedStrategy<String> {
    let fixed = select(vec![
        "<br>",
        "<hr>",
        "<wbr>",
        "<img src=/a.png alt=''>",
        // Of known size: next/image shows it.
        "<img src=/a.png alt=\"a {b}\" width=64 height=48 hspace=2 border=0 class=q style='COLOR:red;width:50%' data-x=1 usemap=#m onclick='f()'>",
        "<img src=/a.png alt='' width=8 height=8 loading=LAZY decoding=sync fetchpriority=high crossorigin ismap align=LEFT>",
        "<img src=/a.png alt='' width=8 height=8 loading=lazy name=n id=i title='\"'>",
        "<img src='/a.png?b&amp;c' alt=\"a {b}\" width=10 height=10% hspace=2 border=0>",
        "<input value='a {b}' disabled>",
        "<input type=checkbox checked value=1>",
        "<input type=radio name=r value=''>",
        "<input type=number min=0 max=9 step=any value=007>",
        "<input type=hidden value>",
        "<input type=range list=l required readonly autocomplete=off>",
        "<textarea rows=2 cols=x>\n\n a {b}\n &lt;i></textarea>",
        "<textarea></textarea>",
        "<button disabled type=submit name=b value=1>go <b>on</b></button>",
        "<select name=s><option>a<option value=2 selected>b &amp; c<optgroup label=g disabled><option value=''>c</optgroup></select>",
        "<select multiple size=3><option selected>a<option selected value=b>B<option disabled>c</select>",
        "<svg viewBox='0 0 9 9' width=9 height=9 preserveAspectRatio=none class=i><defs><linearGradient id=g gradientTransform='rotate(9)'><stop offset=0 stop-color=red /></linearGradient></defs><g fill-rule=evenodd><path d='M0 0h1' stroke-width=2 clip-path='url(#c)' /><use xlink:href='#g' /></g></svg>",
        "<svg><text x=1 text-anchor=middle>two <tspan dy=1em> words</tspan></text><title>t {x}</title><foreignObject><p class=f>html</p></foreignObject><filter id=f><feGaussianBlur stdDeviation=2 /></filter></svg>",
        "<math><mi mathvariant=bold>x</mi><mo>=</mo><mfrac><mn>1</mn><mn>2</mn></mfrac></math>",
        "<iframe src=/a.html allowfullscreen frameborder=0 title=f></iframe>",
        "<iframe srcdoc=\"<p class='x'>a &amp;amp; b</p>\" loading=lazy></iframe>",
        "<video src=/v.mp4 muted loop controls autoplay playsinline poster=/p.png><track src=/t.vtt kind=captions default>old</video>",
        "<audio controls preload=none><source src=/a.ogg type='audio/ogg; codecs=\"a\"'></audio>",
        "<picture><source srcset='/a.webp 1x, /b.webp 2x' media='(min-width: 1px)'><img src=/a.jpg loading=lazy decoding=async fetchpriority=high></picture>",
        "<object data=/a.swf type=x width=1><param name=wmode value=t><p>fallback</p></object>",
        "<embed src=/a.swf wmode=transparent allowscriptaccess=always>",
        "<meter value=.5 max=1 low=.2>half</meter>",
        "<progress value=3 max=10></progress>",
        "<details open><summary>s</summary>more {x}</details>",
        "<dialog open>d</dialog>",
        "<noscript><p class=n>none {x}</p></noscript>",
        "<script type=text/x-tmpl><b>{{x}}</b></script>",
        "<marquee behavior=alternate scrollamount=2>m</marquee>",
        "<map name=m><area shape=rect coords=0,0,1,1 href=/a nohref></map>",
        "<template id=t><p>t</p></template>",
        "<time datetime=2020>t</time>",
        "<x-gallery class=g for=z open style='color:red' data-n=1 count=3><p slot=s>in</p></x-gallery>",
        "<style>.x{color:red}</style>",
        "<canvas width=1>c</canvas>",
        "<data value=007>seven</data>",
        "<bdo dir=rtl>b</bdo>",
        "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>",
        "<fb:like send=true>l</fb:like>",
        "<pre>  a\n   {b}\n</pre>",
        "<pre>\n\nfirst empty</pre>",
        "<pre class=c><code>x\n  <b>y</b>\n</code>\n</pre>",
        "<a href='/x?a=1&amp;b=2#c' target=_blank rel=noopener>l</a>",
        "<a name=anchor></a>",
    ]);
    prop_oneof![3 => text(), 2 => fixed.prop_map(str::to_owned)].boxed()
}

/// Words and what stands between words.
fn phrasing() -> BoxedStrategy<String> {
    let inline = select(vec![
        "word",
        " ",
        "<br>",
        "<img src=/a.png alt=x>",
        "{x}",
        "&nbsp;",
        "<input name=a>",
        "<!-- c -->",
        "<wbr>",
        "\n",
    ]);
    prop_oneof![text(), inline.prop_map(str::to_owned)]
        .prop_recursive(3, 12, 4, |inner| {
            (select(SPANS), attributes(), vec(inner, 0..4))
                .prop_map(|(tag, attributes, inner)| format!("<{tag}{attributes}>{}</{tag}>", inner.concat()))
        })
        .boxed()
}

fn phrases() -> BoxedStrategy<String> {
    vec(phrasing(), 0..4).prop_map(|phrases| phrases.concat()).boxed()
}

fn flow() -> BoxedStrategy<String> {
    let block = prop_oneof![
        leaf(),
        wrapped("p", phrases()),
        wrapped("h2", phrases()),
        wrapped("a", phrases()),
        (attributes(), vec(wrapped("li", phrases()), 0..3)).prop_map(|(attributes, items)| format!("<ul{attributes}>\n{}\n</ul>", items.join("\n"))),
        (attributes(), vec((phrases(), attributes()), 0..4)).prop_map(|(attributes, cells)| {
            let cells: String = cells.iter().map(|(cell, attributes)| format!("<td{attributes}>{cell}</td>\n")).collect();
            format!("<table{attributes} cellpadding=2 rules=all><caption>c</caption><colgroup><col span=2></colgroup>\n<thead><tr><th scope=col nowrap>h</th></tr></thead>\n<tbody> <tr>{cells}</tr> </tbody></table>")
        }),
        wrapped("dl", Just("<dt>t</dt> <dd>d</dd>".to_owned())),
        wrapped("form", phrases()),
    ];
    block
        .prop_recursive(4, 24, 5, |inner| {
            (select(FLOWS), attributes(), vec((inner, any::<bool>()), 0..5)).prop_map(
                |(tag, attributes, inner)| {
                    let inner: String = inner
                        .iter()
                        .map(|(one, line)| format!("{one}{}", if *line { "\n  " } else { "" }))
                        .collect();
                    format!("<{tag}{attributes}>{inner}</{tag}>")
                },
            )
        })
        .boxed()
}

/// A whole page.
pub(crate) fn page() -> BoxedStrategy<String> {
    vec(flow(), 1..6)
        .prop_map(|body| {
            format!(
                "<!doctype html><html lang=en><head><title>Generated</title></head><body>{}</body></html>",
                body.join("\n")
            )
        })
        .boxed()
}
