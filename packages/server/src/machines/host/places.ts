import type { Pool } from '../../images/pool/pools.ts';

/** Takes paths of the host out of texts for principals without the right `pool.locate`. */
export interface Places {
  /**
   * A path in a pool begins with the pool's name. Of any other path only the name of the file stays.
   * @example `Could not open '/srv/images/web.raw'` → `Could not open 'images/web.raw'`
   */
  hide(text: string): string;
}

export interface PlacesOptions {
  pools: { all(): readonly Pick<Pool, 'name' | 'path'>[] };
  /** Its paths are known as whole, also with spaces. */
  dataDir: string;
}

/** What a hypervisor prints in quotes may contain spaces. */
const quoted = /(['"`])((?:file:\/\/)?\/[^'"`\n]*)\1/g;
/** `//` begins the host of an address, which is not a path of this host. */
const bare = /(?<![\p{L}\p{N}_.~…/-])(?:file:\/\/)?\/(?!\/)[^\s'"`<>,;)\]}]+/gu;
const endsInside = /[\p{L}\p{N}_.~/-]$/u;
const endsHere = /^(?:[/'"`\s,;:)\]}]|$)/;

export function createPlaces({ pools, dataDir }: PlacesOptions): Places {
  return {
    hide(text) {
      // The longest first: a pool may be inside the data directory.
      const known = [...pools.all(), { name: '…', path: dataDir }].toSorted(
        (one, other) => other.path.length - one.path.length,
      );
      const named = known.reduce(nameKnown, text);
      return named
        .replaceAll(quoted, (_, quote: string, path: string) => `${quote}${fileOf(path)}${quote}`)
        .replaceAll(bare, fileOf);
    },
  };
}

/** The path as text, and as JSON, in which QEMU prints its arguments. */
function nameKnown(text: string, { name, path }: Pick<Pool, 'name' | 'path'>): string {
  const forms = new Set([path, JSON.stringify(path).slice(1, -1)]);
  return [...forms].reduce((rest, form) => replacePath(rest, { path: form, name }), text);
}

function replacePath(text: string, { path, name }: Pick<Pool, 'name' | 'path'>): string {
  const [first = '', ...rest] = text.split(path);
  return rest.reduce((done, part) => {
    const isPath = !endsInside.test(done.replace(/file:\/\/$/, '')) && endsHere.test(part);
    return `${done}${isPath ? name : path}${part}`;
  }, first);
}

function fileOf(path: string): string {
  return `…/${path.slice(path.lastIndexOf('/') + 1)}`;
}
