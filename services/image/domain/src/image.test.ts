import { describe, expect, it } from 'vitest';
import {
  applyPatch,
  assertMachine,
  checkUploadFormats,
  decideAction,
  type Image,
  planCreation,
  readImageQuery,
  readPatch,
  readPointer,
  seenByOthers,
} from './index.js';

const AT = new Date('2026-01-02T03:04:05Z');
const image: Image = {
  id: 'i',
  name: 'n',
  status: 'queued',
  visibility: 'shared',
  owner: 'p',
  diskFormat: 'raw',
  containerFormat: 'bare',
  size: null,
  virtualSize: null,
  minDisk: 0,
  minRam: 0,
  protected: false,
  hidden: false,
  checksum: null,
  hashAlgo: null,
  hashValue: null,
  sha256: null,
  properties: { kept: 'yes' },
  tags: [],
  createdAt: AT,
  updatedAt: AT,
  revision: 1,
};
const MEDIA = 'application/openstack-images-v2.1-json-patch; charset=utf-8';
const changed = (...changes: object[]) => applyPatch(image, readPatch(MEDIA, changes));

describe('the machine', () => {
  it('is whole', () => expect(assertMachine).not.toThrow());

  it('moves, idles or refuses', () => {
    expect(decideAction('startUpload', 'queued')).toBe('go');
    expect(decideAction('deactivate', 'deactivated')).toBe('idle');
    expect(() => decideAction('startUpload', 'active')).toThrow('transition from active to saving');
    expect(() => decideAction('reactivate', 'queued')).toThrow('Not allowed to reactivate');
    expect(() => decideAction('delete', 'deleted')).toThrow('could not be found');
  });
});

describe('creation', () => {
  const plan = (body: unknown) => planCreation(body, { id: 'new', owner: 'p' });

  it('has defaults', () => {
    expect(plan({ name: 'x', os_distro: 'debian', tags: ['b', 'b'] })).toMatchObject({
      id: 'new',
      owner: 'p',
      visibility: 'shared',
      hidden: false,
      minRam: 0,
      properties: { os_distro: 'debian' },
      tags: ['b'],
    });
  });

  it.each([
    [{ status: 'active' }, 'read-only'],
    [{ location: 'file:///etc/passwd' }, 'reserved'],
    [{ locations: [] }, 'locations'],
    [{ os_glance_x: 'y' }, 'reserved'],
    [{ disk_format: 'exe' }, 'disk_format'],
    [{ min_disk: 1.5 }, 'min_disk'],
    [{ min_ram: 2 ** 40 }, 'min_ram'],
    [{ name: 'x'.repeat(256) }, 'name'],
    [{ name: 'a\0b' }, 'name'],
    [{ p: null }, 'must be a string'],
    [{ ['x'.repeat(256)]: 'y' }, '255'],
    [{ ['__proto__']: 'y' }, 'not valid'],
    [{ tags: 'x' }, 'tags'],
    [{ tags: [1] }, 'tags'],
    [{ id: '../../etc/passwd' }, 'UUID'],
    [{ disk_format: 'ami', container_format: 'bare' }, 'Invalid mix'],
    [Object.fromEntries(Array.from({ length: 129 }, (_, n) => [`p${n}`, 'x'])), 'limit has been exceeded'],
    [{ tags: Array.from({ length: 129 }, (_, n) => `t${n}`) }, 'limit has been exceeded'],
    [[], 'JSON object'],
    [null, 'JSON object'],
  ])('refuses %j', (body, reason) => {
    expect(() => plan(body)).toThrow(reason);
  });
});

describe('patches', () => {
  it('applies in order and leaves the original alone', () => {
    const after = changed(
      { op: 'add', path: '/a', value: '1' },
      { op: 'replace', path: '/a', value: '2' },
      { op: 'remove', path: '/kept' },
      { op: 'replace', path: '/min_disk', value: 3 },
    );
    expect(after).toMatchObject({ properties: { a: '2' }, minDisk: 3 });
    expect(image.properties).toEqual({ kept: 'yes' });
  });

  it.each([
    [{ op: 'replace', path: '/nothing', value: 'x' }, 'does not exist'],
    [{ op: 'remove', path: '/name' }, 'may not be removed'],
    [{ op: 'add', path: '/x' }, 'requires a member'],
    [{ op: 'add', path: 'x', value: 'y' }, 'start with'],
    [{ op: 'add', path: '/a/b', value: 'y' }, 'Invalid JSON pointer'],
    [{ op: 'add', path: '/a~2', value: 'y' }, 'escape'],
    [{ op: 'add', path: '/', value: 'y' }, 'empty part'],
    [{ op: 'add', path: 7, value: 'y' }, 'must be a string'],
    [{ op: 'add', path: '/constructor', value: {} }, 'must be a string'],
    [{ op: 'add', path: '/__proto__', value: 'x' }, 'not valid'],
    [{ op: 'add', path: '/tags/-', value: 'x' }, 'Invalid JSON pointer'],
    [{ op: 'test', path: '/a', value: 'y' }, 'Invalid operation'],
    [{ op: 'replace', path: '/size', value: 1 }, 'read-only'],
    [{ op: 'replace', path: '/visibility', value: null }, 'visibility'],
  ])('refuses %j', (change, reason) => {
    expect(() => changed(change)).toThrow(reason);
  });

  it('keeps the formats of an image with bytes', () => {
    const active = { ...image, status: 'active' as const };
    const changes = readPatch(MEDIA, [{ op: 'replace', path: '/disk_format', value: 'qcow2' }]);
    expect(() => applyPatch(active, changes)).toThrow('only replaced for a queued');
    expect(applyPatch(image, changes).diskFormat).toBe('qcow2');
  });

  it('decodes pointers', () => {
    expect(readPointer('/a~1b~0c')).toEqual(['a/b~c']);
    expect(readPointer('/a/b')).toEqual(['a', 'b']);
  });
});

describe('queries', () => {
  it('reads lists with quotes', () => {
    const [filter] = readImageQuery({ name: 'in:a,"b, \\"c",d' }).filters;
    expect(filter).toEqual({ kind: 'oneOf', column: 'name', values: ['a', 'b, "c', 'd'] });
  });

  it('takes a name that looks like an operator as a name', () => {
    const [filter] = readImageQuery({ name: 'gt:x' }).filters;
    expect(filter).toMatchObject({ values: ['gt:x'] });
  });

  it('reads times as UTC', () => {
    const [filter] = readImageQuery({ created_at: 'gte:2026-01-02T03:04:05' }).filters;
    expect(filter).toEqual({ kind: 'time', column: 'created_at', op: 'gte', value: AT });
  });

  it('has defaults and bounds', () => {
    expect(readImageQuery({})).toMatchObject({ limit: 25, hidden: false, memberStatus: 'accepted' });
    expect(readImageQuery({ limit: '99999999999999999999' }).limit).toBe(1_000);
    expect(readImageQuery({ sort: 'name:asc,size' }).sorts).toEqual([
      { key: 'name', direction: 'asc' },
      { key: 'size', direction: 'desc' },
    ]);
    expect(readImageQuery({ sort_key: ['name', 'size'], sort_dir: 'asc' }).sorts.map((sort) => sort.direction)).toEqual(
      ['asc', 'asc'],
    );
  });
});

describe('who sees and what may be uploaded', () => {
  it('shows public and community images to all, shared ones to members', () => {
    expect(seenByOthers({ visibility: 'public' }, false)).toBe(true);
    expect(seenByOthers({ visibility: 'shared' }, false)).toBe(false);
    expect(seenByOthers({ visibility: 'shared' }, true)).toBe(true);
    expect(seenByOthers({ visibility: 'private' }, true)).toBe(false);
  });

  it('takes raw and qcow2 in bare', () => {
    expect(checkUploadFormats({ diskFormat: 'qcow2', containerFormat: 'bare' })).toEqual({ diskFormat: 'qcow2' });
    expect(() => checkUploadFormats({ diskFormat: 'qcow2', containerFormat: 'ovf' })).toThrow('not supported');
    expect(() => checkUploadFormats({ diskFormat: 'vhdx', containerFormat: 'bare' })).toThrow('not supported');
    expect(() => checkUploadFormats({ diskFormat: null, containerFormat: 'bare' })).toThrow('must be set');
  });
});
