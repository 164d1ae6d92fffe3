//! Elements where HTML does not want them: what parsers repair, and what React's hydration would refuse if it were repaired
//! again. Each case is a page of its own.

/// The browser ends with the same document as on the site.
const SAME: &[&str] = &[
    "<p>a<p>b</p>c</p>",
    "<p>a<div>b</div>c</p>",
    "<p>a<ul><li>b</ul>c",
    "<p>a<table><tr><td>b</table>c",
    "<p>a<hr>b</p>",
    "<p>a<h2>b</h2>c</p>",
    "<p><span>a<div>b</div>c</span></p>",
    "<p><b>a<p>b</b>c",
    "<p>a<form action=/f>b</form>c</p>",
    "<p><x-a>a<div>b</div></x-a></p>",
    "<table><tr><td>a</td></tr></table>",
    "<table><td>a<td>b</table>",
    "<table>\n  <tr>\n    <td>a</td>\n    <td> b </td>\n  </tr>\n\n</table>\n",
    "<table> <tbody> <!-- c --> <tr> <td> a </td> </tr> </tbody> </table> after",
    "<table><caption>c</caption> <colgroup> <col> <col span=2> </colgroup> <thead> <tr><th>h</thead> <tbody><tr><td>a</table>",
    "<table><thead><tr><td>a</thead><tfoot><tr><td>f</tfoot><tbody><tr><td>b</table>",
    "<table><tr><th>a<td>b<tr><td>c</table>",
    "<table>words<tr><td>a</table>",
    "<table><div>b</div><tr><td>a</table>",
    "<table><tr>words<td>a</tr><p>b</p></table>",
    "<table><tr><td><table><tr><td>in</table>out</table>",
    "<table><tr><td><p>a<td>b</table>",
    "<table><input type=hidden name=h><tr><td>a</table>",
    "<table><style>td{color:red}</style><tr><td>a</table>",
    "<table><tr><td>a</td></tr><tr></tr></table>",
    "<table></table><table><tr></table>",
    "<tr><td>bare cells</td></tr>",
    "<font color=red><table><tr><td>a</font></table>b",
    "<a href=/x>a <a href=/y>b</a> c</a>",
    "<a href=/x><div>a</div><p>b</p></a>",
    "<a href=/x><p>a<a href=/y>b</a>c</p></a>",
    "<a href=/x><table><tr><td><a href=/y>a</a></table></a>",
    "<form action=/a><form action=/b><input name=i></form></form><input name=j>",
    "<form action=/a><div><input name=i></form><input name=j></div>",
    "<button>a<button>b</button></button>",
    "<button><div>a</div><p>b</p></button>",
    "<li>a</li><li>b</li>",
    "<ul><li>a<li>b<ul><li>c</ul></ul>",
    "<ul>\n<li>a</li>\n\n<li>b</li>\n</ul>",
    "<ul>words<li>a</li><p>b</p><div>c</div></ul>",
    "<ol><ol><li>a</ol></ol>",
    "<dl><dt>a<dd>b<dt>c<dd>d</dl>",
    "<dl> <div> <dt>a</dt> <dd>b</dd> </div> words </dl>",
    "<dd>a<dd>b",
    "<select><option>a<option>b</select>",
    "<select> <optgroup label=g> <option>a </optgroup> <optgroup label=h><option>b</select>",
    "<option>bare</option>",
    "<h1>a<h2>b</h2></h1>",
    "<h1>a<p>b</p><div>c</div></h1>",
    "<b><p>a</b>b</p>",
    "<b>a<i>b</b>c</i>",
    "<i><b><p>a</i>b</b>c</p>",
    "<span><div>a</div></span>",
    "<nobr>a<nobr>b</nobr>",
    "<label>a<label>b</label></label>",
    "<em><ul><li>a</em>b</ul>",
    "<details><p>a</p><summary>s</summary></details>",
    "<fieldset><p>a</p><legend>l</legend></fieldset>",
    "<picture><p>a</p><img alt=i></picture>",
    "<video><p>old</p></video>",
    "<object><param name=a><p>b</p></object>",
    "<center><p>a</center><marquee><p>b</marquee>",
    "<ruby>a<rp>(<rt>b<rp>)<rt>c</ruby>",
    "<svg><p>out</p></svg>",
    "<svg><foreignObject><div><p>a</div></foreignObject></svg>",
    "<math><mi>x<p>out",
    "<textarea>\n\na</textarea>",
    "<pre>\n\na\n</pre>",
    "<noscript><p>a<div>b</div></p></noscript>",
    "<template><tr><td>a</template>b",
    "<body class=late>a<html lang=de>b",
    "<head></head><p>a</p><title>late</title><p>b</p>",
    "<p>a</p></body></html>after the end<p>b",
    "<p>a</p></div></span></p>b",
    "a<br/>b</br>c<image alt=i>d",
    "<address><p>a</address><blockquote>b<p>c</blockquote>",
    "&nbsp;<table> <tr> <td>&nbsp;</td> </table>&nbsp;",
    "<p></p>\n<p> </p>\n<div>\n</div>",
    "<div>a\n<!-- c -->\nb<!-- d --></div>",
    "<menu><li>a<dir><li>b</dir></menu>",
    "<main><main>a</main></main><header><header>b</header></header>",
    "<a href=/x>a<button>b</button><input></a>",
];
/// What cannot be written down again looks and sends the same, by other elements or with more attributes.
const RETAGGED: &[&str] = &[
    "<table><form action=/t><tr><td><input name=i><button>b</button></td></tr></form></table><input name=j>",
    "<table><tr><form action=/t><td><input name=i></td></form></tr><tr><form action=/u><td><select name=k><option>a</select></td></form></tr></table>",
    "<xmp><b>a</b> &amp; b</xmp>after",
    "a<listing>\nb &amp; c</listing>",
    "a<plaintext>b</plaintext> <b>c</b>",
    "<noembed><b>a</b></noembed>b",
    "<noframes><p>a</p></noframes>b",
    "<iframe title=f><p>a</p></iframe>b",
];

/// One page.
pub(crate) struct Case {
    pub(crate) path: String,
    pub(crate) html: &'static str,
    /// Is the tree of elements the same, too?
    pub(crate) same: bool,
}

impl Case {
    pub(crate) fn document(&self) -> String {
        format!("<!doctype html><html lang=en><head><title>Case</title></head><body>{}", self.html)
    }
}

pub(crate) fn cases() -> Vec<Case> {
    let same = SAME.iter().map(|html| (*html, true));
    let all = same.chain(RETAGGED.iter().map(|html| (*html, false))).enumerate();
    all.map(|(number, (html, same))| Case { path: format!("/case-{number}.html"), html, same }).collect()
}
