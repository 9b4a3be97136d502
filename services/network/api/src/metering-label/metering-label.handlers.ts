import { Injectable } from '@nestjs/common';
import type { Reply } from '#libs/platform/http';
import { METERING_LABEL_FIELDS } from '#services/network/data';
import { type MeteringLabel, meteringLabelNotFound } from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf, ownerOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { meteringLabelView, type NewMeteringLabelBody } from './metering-label.wire.js';

@Injectable()
export class MeteringLabelHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Only for those who may see labels is there any. */
  async load(call: AnyCall): Promise<MeteringLabel> {
    const id = idOf(call, meteringLabelNotFound);
    const { meteringLabels, db } = this.parts.books;
    const label = call.may('get_metering_label') ? await meteringLabels.find(db, id) : undefined;
    if (!label) throw meteringLabelNotFound(id);
    return label;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { metering_label: item } = call.body as { metering_label: NewMeteringLabelBody };
    const label: MeteringLabel = {
      id: this.parts.ids.uuid(),
      projectId: ownerOf(call, 'create_metering_label', item),
      name: item.name ?? '',
      description: item.description ?? '',
      shared: isOn(item.shared) ?? false,
    };
    const { meteringLabels, db } = this.parts.books;
    await meteringLabels.insert(db, label, this.parts.now());
    return { body: { metering_label: meteringLabelView(label) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, METERING_LABEL_FIELDS);
    const { meteringLabels, db } = this.parts.books;
    const page = call.may('get_metering_label') ? await meteringLabels.list(db, request) : { rows: [], more: false };
    return { body: listBody('metering_labels', page, request, call, meteringLabelView) };
  }

  show(call: AnyCall, label: MeteringLabel): Reply {
    const { fields } = readList(call.query, METERING_LABEL_FIELDS);
    return { body: { metering_label: pick(meteringLabelView(label), fields) } };
  }

  async remove({ id }: MeteringLabel): Promise<Reply> {
    const { meteringLabels, db } = this.parts.books;
    if (!(await meteringLabels.delete(db, id))) throw meteringLabelNotFound(id);
    return {};
  }
}
