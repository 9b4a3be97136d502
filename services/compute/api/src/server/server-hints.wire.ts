/** Scheduler hints of a new server: those that mean something here have a shape, all others are kept and change nothing. */
import { Type } from 'typebox';

const Uuid = Type.String({ pattern: '^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$' });
const Servers = Type.Optional(Type.Union([Uuid, Type.Array(Uuid, { maxItems: 256 })]));

/** `query` and `build_near_host_ip` are for filters that are off in upstream's default configuration, and so here. */
export const Hints = Type.Optional(
  Type.Object(
    {
      group: Type.Optional(Uuid),
      different_host: Servers,
      same_host: Servers,
      query: Type.Optional(Type.Union([Type.String(), Type.Object({}, { additionalProperties: true })])),
      target_cell: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      different_cell: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())])),
      build_near_host_ip: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F.:]{2,45}$' })),
      cidr: Type.Optional(Type.String({ pattern: '^/[0-9a-f.:]+$' })),
    },
    { additionalProperties: true },
  ),
);
