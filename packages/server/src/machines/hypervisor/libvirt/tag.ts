import { createHash } from 'node:crypto';
import type { MachineSpec, StoredSpec } from '../machine-spec.ts';
import { restoreSpec } from '../machine-spec.ts';
import type { XmlElement } from './xml.ts';
import { element } from './xml.ts';

/** XML namespace of our element in a machine's metadata. An identifier, not an address. */
const namespace = 'https://wcc.invalid/machine/1';

/** Identifies this installation in the metadata of its machines. Machines of another wcc of the same user are foreign. */
export function ownerOf(dir: string): string {
  return createHash('sha256').update(dir).digest('hex').slice(0, 32);
}

/** Stores the whole specification in the machine's metadata, the single source of truth. Base64 needs no escaping. */
export function buildTag(spec: MachineSpec, owner: string): XmlElement {
  const text = Buffer.from(JSON.stringify(spec)).toString('base64');
  return element('wcc:machine', { 'xmlns:wcc': namespace, owner }, [text]);
}

export interface TaggedSpec {
  readonly spec: MachineSpec;
  /** E.g. `pc-q35-7.2`, as resolved by libvirt when the machine was defined. */
  readonly machineType: string;
}

/**
 * Reads our tag from libvirt's XML of the machine. There, `<` only starts a tag, and comments are not kept.
 * @returns null for a foreign machine: no tag, the tag of another installation, or a clone with the tag of its original
 */
export function readTag(xml: string, { uuid, owner }: { uuid: string; owner: string }): TaggedSpec | null {
  const tag = /<wcc:machine\s([^>]*)>([A-Za-z0-9+/=\s]+)<\/wcc:machine>/.exec(xml);
  const machineType = /<type [^>]*\bmachine=['"]([a-z0-9.-]+)['"]/.exec(xml)?.[1];
  if (!tag || machineType === undefined) return null;
  const [attributes, text] = [tag[1] ?? '', tag[2] ?? ''];
  if (!attributes.includes(owner) || !attributes.includes(namespace)) return null;
  const spec = parse(Buffer.from(text, 'base64').toString());
  return spec?.uuid === uuid ? { spec, machineType } : null;
}

function parse(text: string): MachineSpec | null {
  try {
    const stored = JSON.parse(text) as StoredSpec | null;
    return stored && restoreSpec(stored);
  } catch {
    return null;
  }
}
