// Says no to cookie walls. Gets the table of consent.json and what to do; runs apart from the page's own scripts.
(table, task) => {
    const plain = (text) => text.toLowerCase().replace(/[\s\u00a0]+/g, ' ').replace(/^[\s»×✕.!]+|[\s»×✕.!]+$/g, '');
    const shown = (element) => {
        const box = element.getBoundingClientRect();
        const style = getComputedStyle(element);
        return box.width > 0 && box.height > 0 && style.visibility !== 'hidden' && style.opacity !== '0';
    };
    // The document and the open shadow trees in it.
    const roots = [document];
    for (let i = 0; i < roots.length && roots.length < 50; i++) {
        for (const element of roots[i].querySelectorAll('*')) {
            if (element.shadowRoot && roots.length < 50) roots.push(element.shadowRoot);
        }
    }
    const all = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)]);
    const marks = (element) => `${element.id} ${element.getAttribute('class') ?? ''} ${element.getAttribute('aria-label') ?? ''}`;
    const about = (element) => {
        const text = `${marks(element)} ${element.textContent.slice(0, 5000)}`.toLowerCase();
        return table.about.some((word) => text.includes(word));
    };
    // A frame may be anything, a chat or a badge with a link to its privacy terms: only plain words count there.
    const surely = (body) => {
        const text = (body?.innerText ?? '').slice(0, 5000).toLowerCase();
        return table.surely.some((word) => text.includes(word));
    };
    const lies_over = (element) => {
        const { position } = getComputedStyle(element);
        return position === 'fixed' || position === 'sticky' || element.matches('dialog[open], [role=dialog], [role=alertdialog]');
    };
    // The walls: what lies over the page, speaks of cookies, and is no page of its own.
    const walls = () => task === 'framed' ? [document.body].filter(surely) : all('body *').slice(0, 20000).filter((element) =>
        lies_over(element) && shown(element) && about(element)
        && element.textContent.length < 20000 && !element.matches('header, nav, main') && !element.querySelector('main, article'));

    const done = [];
    // Of a frame that lies over the page: where it comes from, if it speaks of cookies.
    if (task === 'about') return surely(document.body) ? location.hostname : null;
    if (task === 'refuse' || task === 'framed') {
        for (const { name, selector } of table.refuse) {
            const button = all(selector).find(shown);
            if (button) { button.click(); done.push({ how: 'refused', by: name }); return done; }
        }
        const words = new Set(Object.values(table.words).flat());
        for (const wall of walls()) {
            const buttons = [...wall.querySelectorAll('button, a, [role=button], input[type=button], input[type=submit]')];
            const button = buttons.find((button) => shown(button)
                && words.has(plain(button.value || button.innerText || button.getAttribute('aria-label') || '')));
            if (button) {
                const leads_away = button.matches('a[href]') && !/^(#|javascript:)/i.test(button.getAttribute('href'));
                if (leads_away) continue;
                button.click();
                done.push({ how: 'refused', by: plain(button.value || button.innerText || '').slice(0, 100) });
                return done;
            }
        }
        return done;
    }
    for (const wall of walls().slice(0, 10)) {
        wall.style.setProperty('display', 'none', 'important');
        done.push({ how: 'hidden', by: marks(wall).trim().slice(0, 100) });
    }
    if (done.length > 0 || task === 'unveil') {
        for (const element of [document.documentElement, document.body]) {
            if (!element) continue;
            if (/hidden|clip/.test(getComputedStyle(element).overflowY)) element.style.setProperty('overflow', 'visible', 'important');
            if (getComputedStyle(element).position === 'fixed') element.style.setProperty('position', 'static', 'important');
        }
        // The veil behind it: empty, over all of the window.
        for (const element of all('body *').slice(0, 20000)) {
            if (!lies_over(element) || !shown(element) || element.textContent.trim() !== '' || element.querySelector('img, svg, canvas, video, iframe')) continue;
            const box = element.getBoundingClientRect();
            if (box.width >= innerWidth && box.height >= innerHeight) element.style.setProperty('display', 'none', 'important');
        }
    }
    return done;
}
