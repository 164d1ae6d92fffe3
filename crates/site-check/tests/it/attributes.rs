//! What HTML says in attributes, what the project says instead, and what React makes of that: a table.

use crate::{react, server::written, snapshot::Site};
use site_write::Contents;

/// HTML, what is in the project's source for it, and what is in the document that React renders.
type Case = (&'static str, &'static str, &'static str);

const FLAGS: &[Case] = &[
    ("<input disabled>", "<input disabled />", "<input disabled=\"\"/>"),
    ("<input disabled=\"\">", "<input disabled />", "<input disabled=\"\"/>"),
    // HTML looks at the name alone.
    ("<button disabled=false>b</button>", "<button disabled>b</button>", "<button disabled=\"\">b</button>"),
    ("<details open><summary>s</summary></details>", "<details open>", "<details open=\"\">"),
    ("<p hidden>h</p>", "<p hidden>h</p>", "<p hidden=\"\">h</p>"),
    // React leaves out the value of a flag that it knows.
    (
        "<p hidden=until-found>h</p>",
        "({ HIDDEN: \"until-found\" } as object)",
        "<p HIDDEN=\"until-found\">h</p>",
    ),
    ("<p inert>h</p>", "<p inert>h</p>", "<p inert=\"\">h</p>"),
    (
        "<input required readonly autofocus>",
        "<input autoFocus readOnly required />",
        "required=\"\" readOnly=\"\" autofocus=\"\"",
    ),
    ("<ol reversed start=3></ol>", "<ol reversed start={3} />", "<ol reversed=\"\" start=\"3\"></ol>"),
    (
        "<video src=/v muted autoplay loop controls playsinline></video>",
        "autoPlay controls loop muted playsInline",
        "muted=\"\" autoPlay=\"\" loop=\"\" controls=\"\" playsInline=\"\"",
    ),
    ("<form novalidate></form>", "<form noValidate />", "<form noValidate=\"\">"),
    ("<iframe src=/i allowfullscreen></iframe>", "<iframe allowFullScreen src=", "allowFullScreen=\"\""),
    (
        "<div itemscope itemtype=/t>i</div>",
        "<div itemScope itemType=\"/t\">",
        "itemScope=\"\" itemType=\"/t\"",
    ),
    // A flag of another element: as a string React would leave it out.
    ("<a disabled>a</a>", "<a disabled>a</a>", "<a disabled=\"\">a</a>"),
    (
        "<iframe src=/i allowtransparency></iframe>",
        "({ allowTransparency: \"\" } as object)",
        "allowTransparency=\"\"",
    ),
    ("<td nowrap>c</td>", "", ""),
    ("<table><tr><td nowrap>c</table>", "nowrap=\"\"", "nowrap=\"\""),
    ("<hr noshade>", "<hr noshade=\"\" />", "<hr noshade=\"\"/>"),
    // These mean something as empty strings.
    ("<img src=/a.png alt=\"\">", "alt=\"\"", "alt=\"\""),
    ("<a href=/f download>f</a>", "download=\"\"", "download=\"\""),
    ("<input type=hidden value>", "value=\"\"", "value=\"\""),
    ("<p popover>p</p>", "popover=\"\"", "popover=\"\""),
    ("<img src=/a.png crossorigin>", "crossOrigin=\"\"", "<img crossorigin=\"\""),
];

const WORDS: &[Case] = &[
    (
        "<p contenteditable=false>c</p>",
        "contentEditable=\"false\" suppressContentEditableWarning",
        "contentEditable=\"false\"",
    ),
    ("<p contenteditable>c</p>", "({ contentEditable: \"\" } as object)", "contentEditable=\"\""),
    (
        "<p draggable=true spellcheck=false>d</p>",
        "draggable=\"true\" spellCheck=\"false\"",
        "draggable=\"true\" spellCheck=\"false\"",
    ),
    ("<p translate=no dir=RTL>t</p>", "translate=\"no\" dir=\"RTL\"", "translate=\"no\" dir=\"RTL\""),
    (
        "<p aria-hidden=true aria-level=2 aria-label='a {b}'>a</p>",
        "aria-hidden=\"true\" aria-level={2} aria-label=\"a {b}\"",
        "aria-hidden=\"true\" aria-level=\"2\" aria-label=\"a {b}\"",
    ),
    ("<p aria-hidden=TRUE>a</p>", "({ \"aria-hidden\": \"TRUE\" } as object)", "aria-hidden=\"TRUE\""),
    ("<p aria-expanded>a</p>", "aria-expanded=\"\"", "aria-expanded=\"\""),
    (
        "<img src=/a.png loading=lazy decoding=async fetchpriority=high>",
        "loading=\"lazy\" decoding=\"async\" fetchPriority=\"high\"",
        "loading=\"lazy\" decoding=\"async\" fetchPriority=\"high\"",
    ),
    (
        "<input type=text autocomplete=off inputmode=numeric enterkeyhint=go>",
        "autoComplete=\"off\" inputMode=\"numeric\" enterKeyHint=\"go\"",
        "autoComplete=\"off\" inputMode=\"numeric\" enterKeyHint=\"go\"",
    ),
    (
        "<a href=/x referrerpolicy=no-referrer ping=/p>x</a>",
        "referrerPolicy=\"no-referrer\" ping=\"/p\"",
        "referrerPolicy=\"no-referrer\" ping=\"/p\"",
    ),
    ("<button type=foo>b</button>", "({ type: \"foo\" } as object)", "type=\"foo\""),
];

const NUMBERS: &[Case] = &[
    ("<p tabindex=-1>t</p>", "tabIndex={-1}", "tabindex=\"-1\""),
    ("<p tabindex=007>t</p>", "({ tabIndex: \"007\" } as object)", "tabindex=\"007\""),
    (
        "<table><tr><td colspan=2 rowspan=0>c</table>",
        "colSpan={2} rowSpan={0}",
        "colSpan=\"2\" rowSpan=\"0\"",
    ),
    ("<table><tr><td colspan=100%>c</table>", "({ colSpan: \"100%\" } as object)", "colSpan=\"100%\""),
    ("<img src=/a.png width=100% height=50>", "width=\"100%\" height=\"50\"", "width=\"100%\" height=\"50\""),
    ("<ol start=x><li value=3>l</ol>", "<ol>", "<ol>"),
    (
        "<input size=20 maxlength=5 min=0 max=9 step=any>",
        "size={20} maxLength={5} min=\"0\" max=\"9\" step=\"any\"",
        "size=\"20\" maxLength=\"5\" min=\"0\" max=\"9\" step=\"any\"",
    ),
    (
        "<textarea rows=4 cols=x></textarea>",
        "<textarea rows={4} defaultValue=\"\" />",
        "<textarea rows=\"4\"></textarea>",
    ),
    ("<meter value=.5 max=1>m</meter>", "<meter max=\"1\" value=\".5\">", "<meter max=\"1\" value=\".5\">"),
];

const NAMES: &[Case] = &[
    (
        "<label for=a class=b>l</label>",
        "<label className=\"b\" htmlFor=\"a\">",
        "<label class=\"b\" for=\"a\">",
    ),
    ("<b for=a>l</b>", "<b htmlFor=\"a\">", "<b for=\"a\">"),
    (
        "<p data-a-b=1 data-x='{\"a\":1}' data-camelCase=x>d</p>",
        "data-a-b=\"1\" data-camelcase=\"x\" data-x={'{\"a\":1}'}",
        "data-a-b=\"1\" data-x=\"{&quot;a&quot;:1}\" data-camelcase=\"x\"",
    ),
    ("<p xml:lang=en lang=en>x</p>", "({ xmlLang: \"en\" } as object)", "xml:lang=\"en\" lang=\"en\""),
    ("<p :a=1 v-on:b=2 x.c=3>v</p>", "\":a\": \"1\"", ":a=\"1\" v-on:b=\"2\" x.c=\"3\""),
    ("<p @a=1 [b]=2 (c)=3 1d=4 class=k>v</p>", "<p className=\"k\">v</p>", "<p class=\"k\">v</p>"),
    (
        "<p ref=r key=k children=c is=x-p id=i>r</p>",
        "<p id=\"i\" is=\"x-p\">r</p>",
        "<p id=\"i\" is=\"x-p\">r</p>",
    ),
    (
        "<p property=og:x typeof=T vocab=/v itemprop=n>r</p>",
        "property=\"og:x\" typeof=\"T\" vocab=\"/v\" itemProp=\"n\"",
        "property=\"og:x\" typeof=\"T\" vocab=\"/v\" itemProp=\"n\"",
    ),
    (
        "<form accept-charset=utf-8 enctype=text/plain></form>",
        "acceptCharset=\"utf-8\" encType=\"text/plain\"",
        "accept-charset=\"utf-8\" encType=\"text/plain\"",
    ),
    ("<p unknown=1 accesskey=k>u</p>", "unknown=\"1\" accessKey=\"k\"", "unknown=\"1\" accessKey=\"k\""),
    (
        "<x-card class=big for=z open style='color:red' onclick2=x once=1 count=03>c</x-card>",
        "<x-card class=\"big\" for=\"z\" open=\"\" style={css({ color: \"red\" })}",
        "<x-card class=\"big\" for=\"z\" open=\"\" style=\"color:red\"",
    ),
    ("<x-card once=1>c</x-card>", "<x-card once=\"1\">", "<x-card once=\"1\">"),
    ("<fb:like send=true>c</fb:like>", "<fb:like send=\"true\">", "<fb:like send=\"true\">"),
];

const LEGACY: &[Case] = &[
    (
        "<img src=/a.png border=0 align=left hspace=2 vspace=3 name=n longdesc=/l lowsrc=/s>",
        "border=\"0\" align=\"left\" hspace=\"2\" vspace=\"3\" name=\"n\" longdesc=\"/l\" lowsrc=\"/s\"",
        "border=\"0\" align=\"left\" hspace=\"2\" vspace=\"3\" name=\"n\" longdesc=\"/l\" lowsrc=\"/s\"",
    ),
    ("<a name=top>t</a>", "name=\"top\"", "<a name=\"top\">"),
    (
        "<table border=1 cellpadding=2 cellspacing=3 bgcolor=#fff background=/b.png rules=all><tr valign=top><td align=middle width=10% height=5 bgcolor=red>c</table>",
        "border={1} cellPadding=\"2\" cellSpacing=\"3\" bgcolor=\"#fff\"",
        "border=\"1\" cellPadding=\"2\" cellSpacing=\"3\" bgcolor=\"#fff\" background=\"/b.png\" rules=\"all\"",
    ),
    (
        "<center><font color=red size=+1 face='A, B'>f</font></center>",
        "<font color=\"red\"",
        "<center><font color=\"red\" face=\"A, B\" size=\"+1\">f</font></center>",
    ),
    ("<font size=3>f</font>", "<font size=\"3\">f</font>", "<font size=\"3\">f</font>"),
    ("<font size=-1>f</font>", "<font size=\"2\">f</font>", "<font size=\"2\">f</font>"),
    ("<font size='+2pt'>f</font>", "<font size=\"5\">f</font>", "<font size=\"5\">f</font>"),
    ("<hr size=0>", "<hr size=\"1\"", "<hr size=\"1\"/>"),
    ("<link rev=made href=/me>", "rel=\"\"", "<link href=\"/me\" rev=\"made\" rel=\"\"/>"),
    (
        "<ul type=square compact><li type=disc>l</ul>",
        "type=\"square\"",
        "<ul compact=\"\" type=\"square\"><li type=\"disc\">",
    ),
    ("<br clear=all>", "clear=\"all\"", "<br clear=\"all\"/>"),
    (
        "<marquee behavior=alternate direction=up scrollamount=2>m</marquee>",
        "behavior=\"alternate\"",
        "<marquee behavior=\"alternate\" direction=\"up\" scrollamount=\"2\">",
    ),
    (
        "<embed src=/a.swf wmode=transparent allowscriptaccess=always>",
        "wmode=\"transparent\"",
        "wmode=\"transparent\" allowscriptaccess=\"always\"",
    ),
    (
        "<object data=/a.swf classid=c codebase=/d><param name=movie value=/a></object>",
        "<param name=\"movie\" value=\"/a\" />",
        "<param name=\"movie\" value=\"/a\"/>",
    ),
    (
        "<iframe src=/i frameborder=0 scrolling=no marginwidth=0></iframe>",
        "scrolling=\"no\"",
        "frameBorder=\"0\" scrolling=\"no\" marginWidth=\"0\"",
    ),
];

const FOREIGN: &[Case] = &[
    (
        "<svg viewbox='0 0 9 9' preserveaspectratio=none class=i xmlns:xlink=http://www.w3.org/1999/xlink><lineargradient gradienttransform='rotate(9)' /></svg>",
        "viewBox=\"0 0 9 9\" preserveAspectRatio=\"none\" className=\"i\"",
        "viewBox=\"0 0 9 9\" preserveAspectRatio=\"none\" class=\"i\"",
    ),
    (
        "<svg><path fill-rule=evenodd stroke-width=2 clip-path='url(#c)' d='M0 0' /></svg>",
        "fillRule=\"evenodd\" strokeWidth=\"2\" clipPath=\"url(#c)\"",
        "fill-rule=\"evenodd\" stroke-width=\"2\" clip-path=\"url(#c)\"",
    ),
    (
        "<svg><use xlink:href='#a' /><image href=/a.png /></svg>",
        "<use xlinkHref=\"#a\" />",
        "<use xlink:href=\"#a\"></use><image href=\"/a.png\"></image>",
    ),
    (
        "<svg><filter id=f><fegaussianblur stddeviation=2 /></filter><text text-anchor=middle xml:space=preserve>t</text></svg>",
        "<feGaussianBlur stdDeviation=\"2\" />",
        "<feGaussianBlur stdDeviation=\"2\"></feGaussianBlur>",
    ),
    (
        "<svg><foreignobject><p class=f tabindex=0>h</p></foreignobject><a xlink:href=/x tabindex=1><circle r=1 /></a></svg>",
        "<foreignObject>",
        "<foreignObject><p class=\"f\" tabindex=\"0\">h</p></foreignObject>",
    ),
    (
        "<math><mi mathvariant=bold class=m>x</mi><annotation definitionurl=/d>a</annotation></math>",
        "<mi className=\"m\" mathvariant=\"bold\">",
        "<mi class=\"m\" mathvariant=\"bold\">x</mi><annotation definitionURL=\"/d\">",
    ),
];

const STYLES: &[Case] = &[
    (
        "<p style='COLOR: red; margin:0 auto;'>s</p>",
        "css({ color: \"red\", margin: \"0 auto\" })",
        "style=\"color:red;margin:0 auto\"",
    ),
    (
        "<p style='--Gap: 2px; -webkit-line-clamp: 2; -ms-flex: 1; -moz-box-flex: 1; float: left'>s</p>",
        "\"--Gap\": \"2px\", WebkitLineClamp: \"2\", msFlex: \"1\", MozBoxFlex: \"1\", float: \"left\"",
        "--Gap:2px;-webkit-line-clamp:2;-ms-flex:1;-moz-box-flex:1;float:left",
    ),
    (
        "<p style=\"background: url('data:image/png;base64,A//=') no-repeat; content: 'a;b'\">s</p>",
        "url('data:image/png;base64,A//=') no-repeat",
        "content:&#x27;a;b&#x27;",
    ),
    // What no browser takes.
    (
        "<p style='*zoom:1; _height:1px; color; : red; ; top: 0'>s</p>",
        "css({ top: \"0\" })",
        "<p style=\"top:0\">",
    ),
    ("<p style=''>plain</p>", "<p>plain</p>", "<p>plain</p>"),
    ("<p style='/* c */ left: 0 /* d */'>s</p>", "css({ left: \"0\" })", "<p style=\"left:0\">"),
    (
        "<p style='opacity:.5; z-index:3; line-height:1; flex:1'>s</p>",
        "css({ opacity: \".5\", zIndex: \"3\", lineHeight: \"1\", flex: \"1\" })",
        "opacity:.5;z-index:3;line-height:1;flex:1",
    ),
    // In the browser, React loses these: they become a class.
    ("<p class=k style='top:0; color: red !important'>s</p>", ".inline-", "<p class=\"k inline-"),
    (
        "<p style='color: red; color: rgb(1 2 3 / 50%)'>s</p>",
        "  color: red;\n  color: rgb(1 2 3 / 50%);\n",
        "<p class=\"inline-",
    ),
];

const CONTROLS: &[Case] = &[
    (
        "<input value='a {b} \"c\"'>",
        "<input defaultValue={'a {b} \"c\"'} />",
        "value=\"a {b} &quot;c&quot;\"",
    ),
    (
        "<input type=checkbox checked value=1>",
        "<input defaultChecked type=\"checkbox\" value=\"1\" />",
        "<input type=\"checkbox\" checked=\"\" value=\"1\"/>",
    ),
    ("<input type=radio name=r value=''>", "value=\"\"", "<input type=\"radio\" name=\"r\" value=\"\"/>"),
    ("<input type=file value=x>", "<input type=\"file\" />", "<input type=\"file\"/>"),
    (
        "<textarea>\n\n a &lt;b></textarea>",
        "<textarea defaultValue={\"\\n a <b>\"} />",
        "<textarea>\n\n a &lt;b&gt;</textarea>",
    ),
    ("<textarea value=no>yes</textarea>", "<textarea defaultValue=\"yes\" />", "<textarea>yes</textarea>"),
    (
        "<select><option>a<option selected> b  c </select>",
        "<select defaultValue=\"b c\">",
        "<option>a</option><option selected=\"\">b c</option>",
    ),
    (
        "<select><option selected>a<option value=2 selected>b</select>",
        "<select defaultValue=\"2\">",
        "<option>a</option><option value=\"2\" selected=\"\">b</option>",
    ),
    (
        "<select multiple><option selected>a<option value=2 selected>b<option>c</select>",
        "multiple defaultValue={[\"a\", \"2\"]}",
        "<option selected=\"\">a</option><option value=\"2\" selected=\"\">b</option><option>c</option>",
    ),
    // Two options of one value: only they can say which is meant.
    (
        "<select><option value=1>a<option value=1 selected>b</select>",
        "<option selected value=\"1\">",
        "<option value=\"1\">a</option><option value=\"1\" selected=\"\">b</option>",
    ),
    (
        "<select value=2><option value=1>a<option value=2>b</select>",
        "<select>",
        "<option value=\"2\">b</option>",
    ),
    (
        "<optgroup label=g disabled></optgroup>",
        "<optgroup disabled label=\"g\" />",
        "<optgroup disabled=\"\" label=\"g\"></optgroup>",
    ),
    ("<progress value=3 max=10></progress>", "<progress", "<progress max=\"10\" value=\"3\"></progress>"),
];

const CODE: &[Case] = &[
    (
        "<a href='javascript:void(0)' onclick='go()'>j</a>",
        "data-legacy-on={'{\"href\":\"javascript:void(0)\",\"onclick\":\"go()\"}'}",
        "href=\"#\"",
    ),
    ("<a href=' java\tscript:go()'>j</a>", "{\"href\":\" java\\\\tscript:go()\"}", "href=\"#\""),
    ("<form action='javascript:go()'></form>", "{\"action\":\"javascript:go()\"}", "action=\"#\""),
    (
        "<iframe src='javascript:false' title=f></iframe>",
        "{\"src\":\"javascript:false\"}",
        "<iframe title=\"f\" data-legacy-on=",
    ),
    (
        "<p ONCLICK='a(\"b\")' onfoo=x>o</p>",
        "{\"onclick\":\"a(\\\\\"b\\\\\")\",\"onfoo\":\"x\"}",
        "data-legacy-on=",
    ),
];

const TEXTS: &[Case] = &[
    (
        "<p>a {b} &lt;i> &amp; &amp;amp; 'q' \"r\"</p>",
        "{\"a {b} <i> & &amp; 'q' \\\"r\\\"\"}",
        "a {b} &lt;i&gt; &amp; &amp;amp; &#x27;q&#x27; &quot;r&quot;",
    ),
    ("<p>a&nbsp;b&shy;c&#8203;d</p>", "{\"a\\u00a0b\\u00adc\\u200bd\"}", "a\u{a0}b\u{ad}c\u{200b}d"),
    ("<p>one <b>two</b> three</p>", "", "<p>one <b>two</b> three</p>"),
    ("<p>one<!-- c -->two</p>", "<p>onetwo</p>", "<p>onetwo</p>"),
    ("<!--[if lt IE 9]><p>old</p><![endif]--><![if !IE]><p>new</p><![endif]>", "<p>new</p>", "<p>new</p>"),
    ("<pre>\n\n  a\n b\t{c}</pre>", "<pre>{\"\\n  a\\n b\\t{c}\"}</pre>", "<pre>\n\n  a\n b\t{c}</pre>"),
    ("<div style='white-space:pre'>a\n  b</div>", "{\"a\\n  b\"}", ">a\n  b</div>"),
    ("<noscript><p>n {x}</p></noscript>", "<noscript>", "<noscript><p>n {x}</p></noscript>"),
    (
        "<iframe srcdoc=\"<p class='x'>a &amp;amp; b</p>\"></iframe>",
        "srcDoc={\"<p class='x'>a &amp; b</p>\"}",
        "srcDoc=\"&lt;p class=&#x27;x&#x27;&gt;a &amp;amp; b&lt;/p&gt;\"",
    ),
    (
        "<script type=text/x-tmpl><b>{{x}}</b></script>",
        "<script type=\"text/x-tmpl\">{\"<b>{{x}}</b>\"}</script>",
        "<script type=\"text/x-tmpl\"><b>{{x}}</b></script>",
    ),
    (
        "<svg><text xml:space=preserve> a  b\nc</text></svg>",
        "{\" a  b\\nc\"}",
        "<text xml:space=\"preserve\"> a  b\nc</text>",
    ),
    (
        "<x-y><template shadowrootmode=open><p>s</p></template></x-y>",
        "<LegacyShadow shadowrootmode=\"open\"><p>s</p></LegacyShadow>",
        "<x-y><template shadowrootmode=\"open\"><p>s</p></template></x-y>",
    ),
    ("<template id=t><p>t</p></template>", "<LegacyTemplate id=\"t\">", "<template id=\"t\"></template>"),
    (
        "<template><meta name=a content=b><title>t</title></template>",
        "<meta content=\"b\" name=\"a\" itemProp=\"\" />",
        "<template></template>",
    ),
    ("<p></p><title>t</title>", "<title itemProp=\"\">t</title>", "<title itemProp=\"\">t</title>"),
    ("<pre>\n\n<b>x</b></pre>", "<template />", "<pre><template></template>\n<b>x</b></pre>"),
];

/// The attributes of an expectation one by one: their order means nothing, and the parser gives them in its own.
fn pieces(expected: &str) -> Vec<&str> {
    let (mut found, mut start) = (Vec::new(), 0);
    for (at, _) in expected.match_indices(' ') {
        let (piece, next) = (&expected[start..at], &expected[at + 1..]);
        let whole = piece.ends_with(['"', '}']) && piece.matches('"').count().is_multiple_of(2);
        if whole && next.starts_with(|c: char| c.is_ascii_alphabetic() || c == ':') {
            found.push(piece);
            start = at + 1;
        }
    }
    found.push(&expected[start..]);
    found
}

#[test]
fn every_attribute_and_text_says_the_same_in_html_in_tsx_and_in_what_react_renders() {
    let tables = [FLAGS, WORDS, NUMBERS, NAMES, LEGACY, FOREIGN, STYLES, CONTROLS, CODE, TEXTS];
    let mut wrong = Vec::new();
    for (html, source, rendered) in tables.into_iter().flatten() {
        let site = Site::new().page("/", &format!("<!doctype html><html><body>{html}</body></html>"));
        let (plan, project) = written(&site);
        let page = &react::render(&project)[&plan.routes[0].file];
        let texts = project.files.values().filter_map(|contents| match contents {
            Contents::Text(text) => Some(text.as_str()),
            Contents::Stored(_) => None,
        });
        let said = texts.collect::<Vec<_>>().join("\n");
        let Some(Contents::Text(text)) = project.files.get(&plan.routes[0].file) else {
            panic!("a page is text")
        };
        if !pieces(source).into_iter().all(|piece| said.contains(piece)) {
            wrong.push(format!("{html}\n  is not said as {source}\n  but as\n{text}"));
        }
        if !pieces(rendered).into_iter().all(|piece| page.html.contains(piece)) {
            wrong.push(format!(
                "{html}\n  is not rendered as {rendered}\n  but as {}\n{}",
                page.html,
                page.complaints.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_long_class_list_becomes_a_constant() {
    let list = (0..60).map(|n| format!("md:w-{n}")).collect::<Vec<_>>().join(" ");
    let html = format!(
        "<!doctype html><body class='{list}'><p class='{list}'>a</p><b class='{list} x'>b</b></body>"
    );
    let site = Site::new().page("/", &html);
    let (plan, project) = written(&site);
    let page = &react::render(&project)[&plan.routes[0].file];
    assert!(page.html.contains(&format!("<p class=\"{list}\">")), "{}", page.html);
    assert!(
        page.html.contains(&format!("<b class=\"{list} x\">"))
            && page.html.contains(&format!("<body class=\"{list}\">"))
    );
    let report = site_check::verify(&plan, &site.snapshot, &site.bodies, &project);
    assert!(report.passed(), "{report:#?}");
}

#[test]
fn attributes_that_react_has_no_name_for_are_kept_for_the_scripts_that_read_them() {
    let html = "<!doctype html><html @scroll.window=s><body x-data @keydown.escape=close><p @click=go [x]=1 (y)=2 ref=r on-tap=t class=k 3rd -x \"lost=1>a</p>\
                <template x-if=a><b :class=c @click=in>b</b></template><script src=/alpine.js defer></script>";
    let site = Site::new().page("/", html).asset("/alpine.js", "text/javascript", "start()");
    let (plan, project) = written(&site);
    let page = &react::render(&project)[&plan.routes[0].file];
    let json = |text: &str| text.replace('"', "&quot;");
    for (tag, kept) in [
        ("html", r#"{"@scroll.window":"s"}"#),
        ("body", r#"{"@keydown.escape":"close"}"#),
        ("p", r#"{"(y)":"2","@click":"go","[x]":"1","on-tap":"t","ref":"r"}"#),
    ] {
        let said = format!("data-legacy-on=\"{}\"", json(kept));
        let opening = page.html.split('<').find(|opening| opening.starts_with(&format!("{tag} ")));
        assert!(opening.is_some_and(|opening| opening.contains(&said)), "{said} of <{tag}>: {}", page.html);
    }
    let left: Vec<_> = plan.findings.iter().filter(|finding| finding.code == "attribute_left_out").collect();
    assert_eq!(left.len(), 3, "what a lost quote left means nothing: {left:?}");
    let Contents::Text(text) = &project.files[&plan.routes[0].file] else { panic!("a page is text") };
    assert!(
        text.contains(r#"data-legacy-on={'{"@click":"in"}'}"#) && text.contains("<LegacyHandlers />"),
        "{text}"
    );
}

#[test]
fn attributes_that_react_has_no_name_for_are_left_out_and_named_once_each() {
    let html = "<!doctype html><html @scroll=s><body @scroll=s><p @click=go ref=r [x]=1 class=k>a</p><p @click=stop>b</p><i data-ok=1>c</i></body>";
    let site = Site::new().page("/", html);
    let (plan, project) = written(&site);
    let told = plan.findings.iter().filter(|finding| finding.code == "attribute_left_out");
    let notes: Vec<&str> = told.map(|finding| finding.note.as_str()).collect();
    let note = |name: &str, of: &str| {
        format!("`{name}` of <{of}> was left out: React takes no attribute of that name")
    };
    let named = [("@click", "p"), ("@scroll", "body"), ("@scroll", "html"), ("[x]", "p"), ("ref", "p")];
    assert_eq!(notes, named.map(|(name, of)| note(name, of)));
    let text = |path: &str| match &project.files[path] {
        Contents::Text(text) => text.clone(),
        Contents::Stored(_) => panic!("{path} is text"),
    };
    let page = text(&plan.routes[0].file);
    assert!(page.contains("<p className=\"k\">a</p>") && page.contains("data-ok"), "{page}");
    assert!(text("MIGRATION.md").contains("**attribute_left_out**: `@click` of <p>"));
}
