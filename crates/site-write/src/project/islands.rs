//! The client components that run what a site's own scripts and handlers did. Only those that a page uses are written.

use super::Project;
use crate::{jsx::Needs, page::Page, snapshot::Site};

pub(super) fn write(site: &Site, needs: &Needs, project: &mut Project) {
    if site.every_page().any(|page| page.scripts.iter().any(|script| script.loading.is_none())) {
        project.text("components/LegacyScripts.tsx", SCRIPTS);
        project.text("components/LegacyParser.ts", PARSER);
    }
    if site.every_page().any(|page| page.handlers) {
        project.text("components/LegacyHandlers.tsx", HANDLERS);
    }
    if ["Scripts", "Handlers"]
        .iter()
        .any(|name| project.files.contains_key(&format!("components/Legacy{name}.tsx")))
    {
        project.text("components/LegacyHistory.ts", HISTORY);
    }
    if site.every_page().any(Page::scripted) {
        project.text("components/LegacyPage.tsx", PAGE);
    }
    if needs.template {
        project.text("components/LegacyTemplate.tsx", TEMPLATE);
    }
    if needs.shadow {
        project.text("components/LegacyShadow.tsx", SHADOW);
    }
}

const SCRIPTS: &str = include_str!("../../template/islands/LegacyScripts.tsx");
const HISTORY: &str = include_str!("../../template/islands/LegacyHistory.ts");
const PARSER: &str = include_str!("../../template/islands/LegacyParser.ts");
const HANDLERS: &str = include_str!("../../template/islands/LegacyHandlers.tsx");
const PAGE: &str = include_str!("../../template/islands/LegacyPage.tsx");
const TEMPLATE: &str = include_str!("../../template/islands/LegacyTemplate.tsx");
const SHADOW: &str = include_str!("../../template/islands/LegacyShadow.tsx");
