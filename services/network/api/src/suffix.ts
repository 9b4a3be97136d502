/** Old clients end their paths with `.json`. A tag may end so by itself. */
const SUFFIXED = /^(?!.*\/tags\/)([^?]*)\.json\/?(?=\?|$)/;

export const withoutSuffix = (url: string): string => url.replace(SUFFIXED, '$1');
