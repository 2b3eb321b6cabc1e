// Lists what the doors of a library export, as JSON: {"<door>":{"values":[…],"types":[…]}}
// usage: node scripts/list-exports.mjs PACKAGE
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './setup.mjs';

// TypeScript 7 has no compiler API yet.
const ts = createRequire(join(root, 'packages/progress/package.json'))('typescript');
const home = join(root, 'packages', process.argv[2] ?? '');
const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
const doors = Object.entries(manifest.exports).filter(([, target]) => target.types !== undefined);
const paths = doors.map(([, { types }]) => join(home, types));
const program = ts.createProgram(paths, {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  skipLibCheck: true,
});
const checker = program.getTypeChecker();
console.log(JSON.stringify(Object.fromEntries(doors.map(([door], at) => [door, exportsOf(paths[at])]))));

/** The exported names of a declaration file: values (classes included) and types alone. */
function exportsOf(path) {
  const names = { values: [], types: [] };
  const module = checker.getSymbolAtLocation(program.getSourceFile(path));
  for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const isTypeOnly = isAlias && (symbol.declarations ?? []).some(ts.isTypeOnlyExportDeclaration);
    const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
    const isValue = !isTypeOnly && (target.flags & ts.SymbolFlags.Value) !== 0;
    (isValue ? names.values : names.types).push(symbol.getName());
  }
  return names;
}
