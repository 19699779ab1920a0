/**
 * Goal: every configuration key is acted on, or listed as being without effect; `config validate` can then be believed.
 * Method: the compiler itself says which properties of the configuration the code reads; the schema says which there are.
 */
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { configSchema } from '../../src/config/schema/config.ts';
import { leavesOf, schemasAt } from '../../src/config/schema/walk.ts';
import { WITHOUT_EFFECT } from '../../src/config/without-effect.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SCHEMA = join(ROOT, 'src', 'config', 'schema') + sep;
/** For editors. */
const NOT_FOR_US = ['$schema'];

const program = ts.createProgram(sources(), { ...options(), noEmit: true });
const checker = program.getTypeChecker();

function options(): ts.CompilerOptions {
  return configuration().options;
}

function sources(): readonly string[] {
  return configuration().fileNames.filter((name) => name.startsWith(join(ROOT, 'src') + sep));
}

function configuration(): ts.ParsedCommandLine {
  const file = join(ROOT, 'tsconfig.json');
  const { config }: { config?: unknown } = ts.readConfigFile(file, ts.sys.readFile);
  return ts.parseJsonConfigFileContent(config, ts.sys, dirname(file));
}

/** Where the schema declares a property: a key of the configuration, whatever type it was inferred into. */
function placesOf(symbol: ts.Symbol | undefined): string[] {
  return (symbol?.declarations ?? [])
    .map((declaration) => `${declaration.getSourceFile().fileName}:${declaration.getStart()}`)
    .filter((place) => place.startsWith(SCHEMA));
}

/** Places of all properties that code outside the schema reads: by name, by taking apart, by handing a section to a function. */
function readPlaces(): Set<string> {
  const places = new Set<string>();
  const note = (symbol: ts.Symbol | undefined): void => placesOf(symbol).forEach((place) => places.add(place));
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node)) note(checker.getSymbolAtLocation(node.name));
    if (ts.isBindingElement(node) && ts.isObjectBindingPattern(node.parent)) {
      const name = node.propertyName ?? node.name;
      if (ts.isIdentifier(name)) note(checker.getTypeAtLocation(node.parent).getProperty(name.text));
    }
    if (ts.isCallExpression(node)) node.arguments.flatMap(handedOver).forEach(note);
    if (ts.isPropertyAssignment(node)) handedOver(node.initializer).forEach(note);
    if (ts.isShorthandPropertyAssignment(node)) handedOver(node.name).forEach(note);
    ts.forEachChild(node, visit);
  };
  for (const file of program.getSourceFiles())
    if (file.fileName.startsWith(join(ROOT, 'src') + sep) && !file.fileName.startsWith(SCHEMA)) visit(file);
  return places;
}

/** What a function wants of a section that it is given as a whole, alone or within its options: a type of its own says it. */
function handedOver(argument: ts.Expression): readonly ts.Symbol[] {
  const given = checker.getNonNullableType(checker.getTypeAtLocation(argument));
  const asked = checker.getContextualType(argument);
  const wanted = asked === undefined ? [] : checker.getNonNullableType(asked).getProperties();
  return wanted.filter((one) => placesOf(one).length === 0).flatMap(({ name }) => given.getProperty(name) ?? []);
}

/** The places of a key; `*` leads into a record or an array. */
function placesOfKey(path: readonly string[]): readonly string[] {
  let types: readonly ts.Type[] = [configType()];
  let places: readonly string[] = [];
  for (const name of path) {
    const parts = types.flatMap((type) => partsOf(checker.getNonNullableType(type)));
    const symbols = name === '*' ? [] : parts.flatMap((type) => type.getProperty(name) ?? []);
    if (name !== '*') places = symbols.flatMap(placesOf);
    types =
      name === '*'
        ? parts.flatMap((type) => type.getStringIndexType() ?? type.getNumberIndexType() ?? [])
        : symbols.map((symbol) => checker.getTypeOfSymbol(symbol));
  }
  return places;
}

function partsOf(type: ts.Type): readonly ts.Type[] {
  return type.isUnion() ? type.types : [type];
}

function configType(): ts.Type {
  const file = program.getSourceFile(join(SCHEMA, 'config.ts'));
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(file!)!);
  return checker.getDeclaredTypeOfSymbol(exported.find(({ name }) => name === 'Config')!);
}

const isListed = (key: string): boolean => WITHOUT_EFFECT.some((line) => key === line || key.startsWith(`${line}.`));

test('every key is acted on, or listed in src/config/without-effect.ts', () => {
  const read = readPlaces();
  const keys = leavesOf(configSchema).map(({ path }) => path);
  const known = keys.filter((path) => !NOT_FOR_US.includes(path.join('.')));
  const findings = known.map((path) => {
    const places = placesOfKey(path);
    expect([path.join('.'), places.length > 0]).toEqual([path.join('.'), true]);
    return { key: path.join('.'), isRead: places.some((place) => read.has(place)) };
  });
  expect({
    'nothing acts on these: add them to the list': findings
      .filter(({ key, isRead }) => !isRead && !isListed(key))
      .map(({ key }) => key),
    'something acts on these: take them out of the list': findings
      .filter(({ key, isRead }) => isRead && isListed(key))
      .map(({ key }) => key),
  }).toEqual({
    'nothing acts on these: add them to the list': [],
    'something acts on these: take them out of the list': [],
  });
}, 120_000);

test('every line of the list is a key or a section', () => {
  for (const line of WITHOUT_EFFECT) expect([line, schemasAt(configSchema, line.split('.')).length]).toEqual([line, 1]);
});
