/** What the service says of itself: its routes, as its own description has them. */

export type Schema = {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly examples?: readonly unknown[];
};

export type Parameter = {
  readonly in: 'path' | 'query' | 'header';
  readonly name: string;
  readonly required: boolean;
  readonly schema: Schema;
  readonly example: unknown;
};

export type Operation = {
  readonly id: string;
  readonly method: string;
  /** With `{name}` for each parameter in it. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** By content type. */
  readonly bodies: ReadonlyMap<
    string,
    { readonly schema: Schema; readonly examples: readonly unknown[] }
  >;
  readonly statuses: ReadonlySet<number>;
};

type Content = {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
};
type Described = {
  readonly operationId: string;
  readonly parameters?: readonly (Partial<Parameter> & Pick<Parameter, 'in' | 'name'>)[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, unknown>>;
};
export type Description = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};

/** What needs a database, which the service here has not: it is described, and answers 503. */
export const isOfSnapshots = ({ path }: Operation): boolean => path.includes('/snapshot');

export function operationsOf({ paths }: Description): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]): Operation => {
      const { operationId: id, parameters = [], requestBody, responses } = described;
      const bodies = Object.entries(requestBody?.content ?? {}).map(([type, content]) => {
        return [type, { schema: content.schema ?? {}, examples: examplesOf(content) }] as const;
      });
      return {
        ...{ id, method: method.toUpperCase(), path, bodies: new Map(bodies) },
        statuses: new Set(Object.keys(responses).map(Number)),
        parameters: parameters.map(({ required = false, schema = {}, example, ...rest }) => {
          return { ...rest, required, schema, example };
        }),
      };
    }),
  );
}

function examplesOf({ schema, example, examples = {} }: Content): readonly unknown[] {
  const named = Object.values(examples).map(({ value }) => value);
  if (named.length > 0) return named;
  return example === undefined ? (schema?.examples ?? []) : [example];
}
