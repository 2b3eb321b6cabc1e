import type { BootDevice } from '../machine-spec.ts';
import type { AdoptedFields, SettingDifference, SettingName } from '../setting-difference.ts';
import { settingNames } from '../setting-difference.ts';
import { attributeOf, childOf, childrenOf, textOf } from './elements.ts';
import type { XmlElement } from './xml.ts';

/** One setting of a definition, as texts that are equal when the setting is equal. */
interface Setting {
  readonly texts: readonly string[];
  /** What a specification needs for this value; null: it cannot express the value. */
  readonly fields: AdoptedFields | null;
}
type Settings = Readonly<Record<SettingName, Setting>>;

/** Compares the settings of two definitions. libvirt adds much to a definition that is no setting of wcc. */
export function compareDomains(written: XmlElement, found: XmlElement): SettingDifference[] {
  const [before, now] = [settingsOf(written), settingsOf(found)];
  return settingNames.flatMap((setting) => {
    const [one, other] = [before[setting], now[setting]];
    if (sameTexts(one, other)) return [];
    const difference = {
      setting,
      written: onlyIn(one.texts, other.texts),
      found: onlyIn(other.texts, one.texts),
    };
    return [{ ...difference, adopt: setting === 'cdrom' ? adoptDisc(one, other) : other.fields }];
  });
}

const sameTexts = (one: Setting, other: Setting): boolean =>
  JSON.stringify(one.texts) === JSON.stringify(other.texts);

function onlyIn(texts: readonly string[], others: readonly string[]): string {
  const rest = texts.filter((text) => !others.includes(text));
  return (rest.length > 0 ? rest : texts).join(', ');
}

function settingsOf(domain: XmlElement): Settings {
  const devices = childOf(domain, 'devices');
  const all = childrenOf(devices, 'disk');
  const drives = all.filter((disk) => disk.attributes['device'] === 'cdrom');
  const disks = all.filter((disk) => disk.attributes['device'] !== 'cdrom');
  const name = textOf(domain, 'name');
  return {
    name: { texts: [name], fields: { name } },
    cpus: cpusOf(domain),
    memory: memoryOf(domain),
    firmware: { texts: [isUefi(domain) ? 'uefi' : 'bios'], fields: null },
    disks: { texts: disks.map(diskText), fields: null },
    cdrom: { texts: drives.map(sourceText), fields: { cdrom: discOf(drives[0]) } },
    network: { texts: childrenOf(devices, 'interface').map(networkText), fields: null },
    bootOrder: bootOrderOf(domain, devices),
  };
}

function cpusOf(domain: XmlElement): Setting {
  const cpus = textOf(domain, 'vcpu').trim();
  const current = attributeOf(domain, 'vcpu', 'current');
  if (current !== null && current !== cpus) return { texts: [`${current} of ${cpus}`], fields: null };
  return { texts: [cpus], fields: { cpus: Number(cpus) } };
}

/** libvirt prints memory in KiB. The current memory has no effect without a balloon. */
function memoryOf(domain: XmlElement): Setting {
  const kibibytes = Number(textOf(domain, 'memory'));
  const mebibytes = kibibytes / 1024;
  if (!Number.isInteger(mebibytes)) return { texts: [`${kibibytes} KiB`], fields: null };
  return { texts: [`${mebibytes} MiB`], fields: { memoryBytes: kibibytes * 1024 } };
}

function isUefi(domain: XmlElement): boolean {
  const os = childOf(domain, 'os');
  return os?.attributes['firmware'] === 'efi' || attributeOf(os, 'loader', 'type') === 'pflash';
}

function diskText(disk: XmlElement): string {
  const target = attributeOf(disk, 'target', 'dev') ?? '';
  const format = attributeOf(disk, 'driver', 'type') ?? 'raw';
  return [`${target} ${sourceText(disk)} (${format})`, ...chainOf(disk)].join(' on ');
}

function chainOf(layer: XmlElement): string[] {
  const backing = childOf(layer, 'backingStore');
  if (backing === undefined || childOf(backing, 'source') === undefined) return [];
  const format = attributeOf(backing, 'format', 'type') ?? 'raw';
  return [`${sourceText(backing)} (${format})`, ...chainOf(backing)];
}

/** The file, or what another kind of disk uses. */
function sourceText(disk: XmlElement): string {
  const source = childOf(disk, 'source');
  if (source === undefined) return 'empty';
  const { file, ...others } = source.attributes;
  return String(file ?? Object.values(others).join(' '));
}

function discOf(drive: XmlElement | undefined): string | null {
  return drive === undefined ? null : attributeOf(drive, 'source', 'file');
}

/** Only the disc of the first drive can follow libvirt. */
function adoptDisc(written: Setting, found: Setting): AdoptedFields | null {
  const [, ...seed] = written.texts;
  const [first, ...rest] = found.texts;
  const isFile = first === 'empty' || first?.startsWith('/') === true;
  return isFile && JSON.stringify(seed) === JSON.stringify(rest) ? found.fields : null;
}

function networkText(card: XmlElement): string {
  const source = Object.values(childOf(card, 'source')?.attributes ?? {});
  const parts = [card.attributes['type'], ...source, attributeOf(card, 'mac', 'address')];
  return [...parts, attributeOf(card, 'model', 'type')].filter((part) => part != null).join(' ');
}

/** `<boot order>` of devices, or the older `<boot dev>` of the machine. */
function bootOrderOf(domain: XmlElement, devices: XmlElement | undefined): Setting {
  const ordered = (devices?.children ?? [])
    .filter((child): child is XmlElement => typeof child === 'object' && child !== null)
    .map((device) => ({ device, order: Number(attributeOf(device, 'boot', 'order') ?? 0) }))
    .filter(({ order }) => order > 0)
    .toSorted((one, other) => one.order - other.order)
    .map(({ device }) => bootName(device, devices));
  if (ordered.length > 0) {
    const known = ordered.filter(isBootDevice);
    const isKnown = known.length === ordered.length && new Set(known).size === known.length;
    return { texts: [ordered.join(', ')], fields: isKnown ? { bootOrder: known } : null };
  }
  const named = childrenOf(childOf(domain, 'os'), 'boot').map((boot) => String(boot.attributes['dev']));
  // libvirt adds `hd` where no device has an order.
  if (named.join(',') === 'hd' || named.length === 0) return { texts: [], fields: null };
  return { texts: [`boot dev ${named.join(', ')}`], fields: null };
}

function bootName(device: XmlElement, devices: XmlElement | undefined): string {
  if (device.name === 'interface') return 'network';
  const target = attributeOf(device, 'target', 'dev') ?? '';
  if (device.name !== 'disk') return device.name;
  const isDrive = device.attributes['device'] === 'cdrom';
  const same = childrenOf(devices, 'disk').filter(
    ({ attributes }) => (attributes['device'] === 'cdrom') === isDrive,
  );
  if (same[0] !== device) return target;
  return isDrive ? 'cdrom' : 'disk';
}

function isBootDevice(text: string): text is BootDevice {
  return text === 'disk' || text === 'cdrom' || text === 'network';
}
