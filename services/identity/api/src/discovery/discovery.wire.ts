/** The version documents that clients read before anything else. */
const version = (base: string) => ({
  id: 'v3.14',
  status: 'stable',
  updated: '2020-04-07T00:00:00Z',
  links: [{ rel: 'self', href: `${base}/v3/` }],
  'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
});

export const versionList = (base: string) => ({ versions: { values: [version(base)] } });
export const versionDocument = (base: string) => ({ version: version(base) });
