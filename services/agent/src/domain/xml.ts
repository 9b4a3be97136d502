/** XML as a value: elements are built from data and every text is escaped on the way out, so no text can become markup. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  readonly children: readonly (Element | string)[];
}

type Child = Element | string | number | undefined | readonly (Element | undefined)[];

/** An element; attributes and children that are undefined are left out. */
export function element(name: string, attributes: Element['attributes'] = {}, ...children: readonly Child[]): Element {
  const kept: (Element | string)[] = [];
  for (const child of children) {
    if (typeof child === 'string') kept.push(child);
    else if (typeof child === 'number') kept.push(String(child));
    else if (Array.isArray(child)) kept.push(...child.filter((one: Element | undefined) => one !== undefined));
    else if (child !== undefined) kept.push(child as Element);
  }
  return { name, attributes, children: kept };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

/** XML 1.0 can carry tab, line feed, carriage return and everything from the space on but two code points. */
function isAllowed(code: number): boolean {
  return code >= 0x20 ? code !== 0xfffe && code !== 0xffff : code === 9 || code === 10 || code === 13;
}

/** Escapes text for content and attributes alike; what XML 1.0 can not carry at all becomes U+FFFD. */
export function escapeXml(text: string): string {
  const carried = Array.from(text.toWellFormed(), (character) =>
    isAllowed(character.codePointAt(0)!) ? character : '\ufffd',
  );
  return carried.join('').replace(/[&<>"'\n\r\t]/g, (character) => ENTITIES[character]!);
}

/** The element as text, indented by two spaces a level. */
export function toXml(root: Element, indent = ''): string {
  const attributes = Object.entries(root.attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('');
  if (!root.children.length) return `${indent}<${root.name}${attributes}/>\n`;
  if (root.children.every((child) => typeof child === 'string')) {
    return `${indent}<${root.name}${attributes}>${root.children.map(escapeXml).join('')}</${root.name}>\n`;
  }
  const inner = root.children.map((child) =>
    typeof child === 'string' ? `${indent}  ${escapeXml(child)}\n` : toXml(child, `${indent}  `),
  );
  return `${indent}<${root.name}${attributes}>\n${inner.join('')}${indent}</${root.name}>\n`;
}
