import { Injectable } from '@nestjs/common';
import { isUuid } from '#libs/kernel';
import type { Reply } from '#libs/platform/http';
import { METERING_RULE_FIELDS } from '#services/network/data';
import {
  type MeteringLabelRule,
  meteringLabelNotFound,
  meteringRuleNotFound,
  readMetered,
} from '#services/network/domain';
import { listBody, pick, readList } from '../list.wire.js';
import { NetworkParts } from '../parts.js';
import { type AnyCall, idOf } from '../scope.js';
import { isOn } from '../values.wire.js';
import { meteringLabelRuleView, type NewMeteringLabelRuleBody } from './metering-label-rule.wire.js';

@Injectable()
export class MeteringLabelRuleHandlers {
  constructor(private readonly parts: NetworkParts) {}

  /** Only for those who may see rules is there any. */
  async load(call: AnyCall): Promise<MeteringLabelRule> {
    const id = idOf(call, meteringRuleNotFound);
    const { meteringRules, db } = this.parts.books;
    const rule = call.may('get_metering_label_rule') ? await meteringRules.find(db, id) : undefined;
    if (!rule) throw meteringRuleNotFound(id);
    return rule;
  }

  async create(call: AnyCall): Promise<Reply> {
    const { metering_label_rule: item } = call.body as { metering_label_rule: NewMeteringLabelRuleBody };
    const labelId = item.metering_label_id;
    if (!isUuid(labelId)) throw meteringLabelNotFound(labelId);
    const rule: MeteringLabelRule = {
      id: this.parts.ids.uuid(),
      labelId: labelId.toLowerCase(),
      direction: item.direction,
      excluded: isOn(item.excluded) ?? false,
      ...readMetered({
        remotePrefix: item.remote_ip_prefix ?? null,
        sourcePrefix: item.source_ip_prefix ?? null,
        destinationPrefix: item.destination_ip_prefix ?? null,
      }),
    };
    const { meteringRules, db } = this.parts.books;
    await meteringRules.insert(db, rule, this.parts.now());
    return { body: { metering_label_rule: meteringLabelRuleView(rule) } };
  }

  async list(call: AnyCall): Promise<Reply> {
    const request = readList(call.query, METERING_RULE_FIELDS);
    const { meteringRules, db } = this.parts.books;
    const page = call.may('get_metering_label_rule')
      ? await meteringRules.list(db, request)
      : { rows: [], more: false };
    return { body: listBody('metering_label_rules', page, request, call, meteringLabelRuleView) };
  }

  show(call: AnyCall, rule: MeteringLabelRule): Reply {
    const { fields } = readList(call.query, METERING_RULE_FIELDS);
    return { body: { metering_label_rule: pick(meteringLabelRuleView(rule), fields) } };
  }

  async remove({ id }: MeteringLabelRule): Promise<Reply> {
    const { meteringRules, db } = this.parts.books;
    if (!(await meteringRules.delete(db, id))) throw meteringRuleNotFound(id);
    return {};
  }
}
