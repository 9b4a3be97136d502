/** Further addresses of a server, up to 2.43. */
import { Type } from 'typebox';
import { body } from '#libs/wire';

const shut = { additionalProperties: false } as const;
/** Networks had numbers once. */
const NetworkId = Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Integer()]);

export const addFixedIpBody = body(Type.Object({ addFixedIp: Type.Object({ networkId: NetworkId }, shut) }, shut));
export const removeFixedIpBody = body(
  Type.Object({ removeFixedIp: Type.Object({ address: Type.String({ maxLength: 64 }) }, shut) }, shut),
);
