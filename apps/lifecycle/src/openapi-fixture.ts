/** The description of the API, as a test goes through it: each route with its examples. */

type Parameter = {
  readonly in: string;
  readonly name: string;
  readonly example?: unknown;
};
export type Operation = {
  readonly method: string;
  readonly path: string;
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly examples: readonly unknown[];
  /** Bodies that are no JSON, by their type. */
  readonly texts: readonly (readonly [string, string])[];
  readonly statuses: readonly string[];
};

type Content = {
  readonly schema?: { readonly examples?: readonly unknown[] };
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
};
type Described = {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, unknown>>;
};
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};

/** Of what `/openapi.json` answers. */
export function operationsOf(document: Document): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]): Operation => {
      const { operationId, parameters = [] } = each;
      const statuses = Object.keys(each.responses);
      const { 'application/json': json, ...others } = each.requestBody?.content ?? {};
      const examples = examplesOf(json);
      const texts = Object.entries(others).flatMap(([type, content]) =>
        examplesOf(content).map((text) => [type, String(text)] as const),
      );
      const bodies = { examples, texts };
      return { method: method.toUpperCase(), path, operationId, parameters, statuses, ...bodies };
    }),
  );
}

function examplesOf({ schema, example, examples = {} }: Content = {}): readonly unknown[] {
  const named = Object.values(examples).map(({ value }) => value);
  if (named.length > 0) return named;
  return example === undefined ? (schema?.examples ?? []) : [example];
}

/** The path with the example of each parameter; `known` puts in what is there. */
export function filledPath(
  { path, parameters, operationId }: Operation,
  known: (example: string) => string,
): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const example = parameters.find((each) => each.in === 'path' && each.name === name)?.example;
    if (example === undefined) throw new Error(`${operationId} has no example of ${name}`);
    return known(String(example));
  });
}
