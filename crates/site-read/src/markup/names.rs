//! What the rules for building a tree ask of an element's name.

/// How a start tag is treated within the body; elements of one sort are treated alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Html,
    Head,
    Body,
    /// Belongs into the head, holds nothing.
    Meta,
    /// Holds text only; in the first, references mean something.
    Title,
    Textarea,
    Raw,
    Xmp,
    Script,
    /// Ends a paragraph.
    Block,
    /// The same, and an item may end the one before it across it.
    Division,
    /// The same, and an item's end tag does not reach out of it.
    List,
    /// The same, but does not hold up the search for the element that an end tag means.
    LooseBlock,
    Paragraph,
    Heading,
    Preformatted,
    Form,
    Item,
    Definition,
    Button,
    Anchor,
    Formatting,
    /// Formatting does not reach into or out of it.
    Object,
    Table,
    TableBody,
    Row,
    Cell,
    Caption,
    Column,
    ColumnGroup,
    /// Holds nothing.
    Void,
    Input,
    Rule,
    Select,
    Option,
    OptionGroup,
    Svg,
    /// Ignored where it has no place.
    Frame,
    /// Has rules that are not carried out here.
    Rare,
    Ordinary,
}

impl Sort {
    pub(super) fn of(name: &str) -> Self {
        match name.len() {
            1..=8 => short(pack(name.as_bytes())),
            _ => long(name),
        }
    }

    /// Whether a search for an open element ends at it, in the standard's words: whether it bounds a scope.
    pub(super) const fn bounds(self) -> bool {
        matches!(self, Self::Html | Self::Caption | Self::Table | Self::Cell | Self::Object | Self::Select)
    }

    /// Whether it ends by itself where something around it ends.
    pub(super) const fn ends_by_itself(self) -> bool {
        matches!(self, Self::Definition | Self::Item | Self::Option | Self::OptionGroup | Self::Paragraph)
    }

    /// Whether an end tag that is not its own has no effect across it: "special" in the standard.
    pub(super) const fn is_special(self) -> bool {
        !matches!(
            self,
            Self::Anchor
                | Self::Formatting
                | Self::LooseBlock
                | Self::Option
                | Self::OptionGroup
                | Self::Ordinary
                | Self::Svg
        )
    }

    /// Whether it holds other elements only.
    pub(super) const fn is_structure(self) -> bool {
        matches!(
            self,
            Self::Html | Self::Head | Self::Table | Self::TableBody | Self::Row | Self::ColumnGroup
        )
    }

    /// Whether formatting that is open around it is not in force in it, and the other way round.
    pub(super) const fn confines(self) -> bool {
        matches!(self, Self::Cell | Self::Caption | Self::Object)
    }

    /// Whether all in it is text.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Script | Self::Raw | Self::Title | Self::Textarea | Self::Xmp)
    }

    pub(super) const fn formats(self) -> bool {
        matches!(self, Self::Anchor | Self::Formatting)
    }
}

/// Up to eight bytes as one number, letters in lower case.
const fn pack(name: &[u8]) -> u64 {
    let mut packed = 0;
    let mut at = 0;
    while at < name.len() {
        packed = packed << 8 | name[at].to_ascii_lowercase() as u64;
        at += 1;
    }
    packed
}

macro_rules! packed {
    ($value:expr; $($sort:ident: $($name:literal)+,)+) => {{
        $($(if const { pack($name) } == $value { return Sort::$sort; })+)+
        Sort::Ordinary
    }};
}

fn short(name: u64) -> Sort {
    packed! { name;
        Anchor: b"a",
        Cell: b"td" b"th",
        Row: b"tr",
        Division: b"div" b"address",
        Formatting: b"b" b"i" b"code" b"em" b"strong" b"font" b"tt" b"small" b"u" b"s" b"big" b"strike",
        Paragraph: b"p",
        Item: b"li",
        Void: b"br" b"img" b"wbr" b"area" b"embed" b"keygen" b"param" b"source" b"track",
        Heading: b"h1" b"h2" b"h3" b"h4" b"h5" b"h6",
        Meta: b"meta" b"link" b"base" b"bgsound" b"basefont",
        Script: b"script",
        Definition: b"dd" b"dt",
        List: b"ul" b"ol",
        Block: b"dl" b"nav" b"section" b"header" b"footer" b"article" b"main" b"aside" b"center" b"dir",
        Block: b"details" b"fieldset" b"figure" b"hgroup" b"menu" b"summary",
        LooseBlock: b"dialog" b"search",
        Preformatted: b"pre" b"listing",
        Table: b"table",
        TableBody: b"tbody" b"thead" b"tfoot",
        Raw: b"style" b"noscript" b"iframe" b"noframes" b"noembed",
        Title: b"title",
        Input: b"input",
        Button: b"button",
        Option: b"option",
        OptionGroup: b"optgroup",
        Select: b"select",
        Textarea: b"textarea",
        Form: b"form",
        Rule: b"hr",
        Svg: b"svg",
        Object: b"object" b"applet" b"marquee",
        Caption: b"caption",
        Column: b"col",
        ColumnGroup: b"colgroup",
        Html: b"html",
        Head: b"head",
        Body: b"body",
        Xmp: b"xmp",
        Frame: b"frame",
        Rare: b"template" b"frameset" b"math" b"image" b"isindex" b"nobr" b"rb" b"rtc" b"rp" b"rt" b"ruby",
    }
}

fn long(name: &str) -> Sort {
    for (known, sort) in [("blockquote", Sort::Block), ("figcaption", Sort::Block), ("plaintext", Sort::Rare)]
    {
        if name.eq_ignore_ascii_case(known) {
            return sort;
        }
    }
    Sort::Ordinary
}
