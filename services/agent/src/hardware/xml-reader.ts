/**
 * Reads the XML that libvirt writes about itself: elements, attributes and text, and nothing else. No document of a
 * tenant's comes here, and whatever is not understood is an error, never a guess.
 */

export class Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Node[] = [];
  text = '';

  constructor(name: string, attributes: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.attributes = attributes;
  }

  first(name: string): Node | undefined {
    return this.children.find((child) => child.name === name);
  }

  all(name: string): Node[] {
    return this.children.filter((child) => child.name === name);
  }
}

const PIECE =
  /<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/gy;
const ATTRIBUTE = /([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const plain = (text: string): string =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = '', quoted, other] of text.matchAll(ATTRIBUTE)) found[name] = plain(quoted ?? other ?? '');
  return found;
}

/** The root element. Throws for what is not well-formed. */
export function parseXml(text: string): Node {
  const top = new Node('');
  const open: Node[] = [top];
  let end = 0;
  for (const match of text.matchAll(PIECE)) {
    end = match.index + match[0].length;
    const [, closing, name, attributes = '', empty, words] = match;
    const here = open.at(-1)!;
    if (words !== undefined) here.text += plain(words).trim();
    if (name === undefined) continue;
    if (closing) {
      if (open.length < 2 || here.name !== name) throw new Error(`</${name}> closes nothing`);
      open.pop();
      continue;
    }
    const child = new Node(name, attributesOf(attributes));
    here.children.push(child);
    if (!empty) open.push(child);
  }
  const [root] = top.children;
  if (end !== text.length || open.length !== 1 || top.children.length !== 1 || !root) throw new Error('this is no XML');
  return root;
}
