/** A summary as a page with the styles of GitHub. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Theme } from './picture.js';

const modules = fileURLToPath(new URL('./node_modules', import.meta.url));

/** The extensions of GitHub Flavored Markdown. */
const extensions = ['table', 'strikethrough', 'autolink', 'tagfilter', 'tasklist'];

/** What GitHub's sanitizer keeps of the HTML that a summary uses. Any other tag is an error here. */
const allowed = new Set(
  'h1 h2 h3 h4 h5 h6 p a b i em strong code pre br hr ul ol li table thead tbody tr th td details summary sub sup del'.split(
    ' ',
  ),
);

export function summaryPage(
  markdown: string,
  { theme, isOpen }: { readonly theme: Theme; readonly isOpen: boolean },
): string {
  const options = ['--unsafe', ...extensions.flatMap((name) => ['-e', name])];
  const html = execFileSync('cmark-gfm', options, { input: markdown, encoding: 'utf8' });
  for (const [, tag = ''] of html.matchAll(/<([a-z][a-z0-9]*)[^>]*>/g))
    if (!allowed.has(tag)) throw new Error(`GitHub removes the tag <${tag}>.`);
  const body = html
    .replaceAll(
      /<pre><code class="language-mermaid">([\s\S]*?)<\/code><\/pre>/g,
      '<div class="mermaid">$1</div>',
    )
    .replaceAll('<details>', isOpen ? '<details open>' : '<details>');
  return `<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="file://${modules}/github-markdown-css/github-markdown-${theme}.css">
<style>body { margin: 0; padding: 24px; background: ${theme === 'light' ? '#ffffff' : '#0d1117'}; }
.mermaid { text-align: center; margin-bottom: 16px; } .mermaid svg { max-width: 100%; }</style>
<main class="markdown-body">${body}</main>
<script src="file://${modules}/mermaid/dist/mermaid.min.js"></script>
<script>
  mermaid.initialize({ startOnLoad: false, theme: '${theme === 'light' ? 'default' : 'dark'}', securityLevel: 'strict' });
  mermaid.run().catch((error) => { document.body.append(String(error)); }).finally(() => {
    document.documentElement.dataset.height = String(Math.ceil(document.body.getBoundingClientRect().height));
  });
</script>`;
}
