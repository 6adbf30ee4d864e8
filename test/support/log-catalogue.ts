import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as ts from 'typescript';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  /** Beside the message, and beside what every line carries. */
  readonly fields: readonly string[];
  readonly file: string;
}

const LEVELS = new Set(['log', 'info', 'warn', 'error', 'fatal']);
const SOURCE = join(__dirname, '../../src');

/** Every line that the service writes on purpose, read off its code: calls of a logger with a message, `…` where something is put in. */
export function logLines(): LogLine[] {
  const lines: LogLine[] = [];
  for (const file of sources(SOURCE)) {
    const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node))
        for (const line of linesOf(node, tree)) lines.push({ ...line, file: relative(join(SOURCE, '..'), file) });
      ts.forEachChild(node, visit);
    };
    visit(tree);
  }
  return lines.sort((a, b) => (a.message < b.message ? -1 : 1));
}

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'testing' || name === 'cli' ? [] : sources(path);
    return name.endsWith('.ts') && !name.endsWith('.spec.ts') ? [path] : [];
  });
}

function linesOf({ expression, arguments: given }: ts.CallExpression, tree: ts.SourceFile): Omit<LogLine, 'file'>[] {
  if (!ts.isPropertyAccessExpression(expression)) return [];
  const level = expression.name.text;
  // A part's own `warn`, which adds what all of its lines say.
  const own = expression.expression.kind === ts.SyntaxKind.ThisKeyword && level === 'warn';
  if (!LEVELS.has(level) || !(own || /logger$|Logger\(/i.test(callee(expression)))) return [];
  const [first, second] = given;
  if (!first) return [];
  if (!ts.isObjectLiteralExpression(first)) return textsOf(first, tree).map((message) => ({ level, message, fields: [] }));
  const names = first.properties.flatMap(({ name }) => (name && ts.isIdentifier(name) ? [name.text] : []));
  const fields = names.filter((name) => name !== 'msg');
  const messages = first.properties.flatMap((property) => {
    if (!property.name || !ts.isIdentifier(property.name) || property.name.text !== 'msg') return [];
    return ts.isPropertyAssignment(property) ? textsOf(property.initializer, tree) : textsOf(property.name, tree);
  });
  return [...messages, ...(second ? textsOf(second, tree) : [])].map((message) => ({ level, message, fields }));
}

function callee({ expression }: ts.PropertyAccessExpression): string {
  const text = expression.getText();
  return ts.isNewExpression(expression) ? text.slice(text.indexOf('Logger'), text.indexOf('(') + 1) : text.split('.').at(-1)!;
}

/** What an expression can say: a text, one of several, or what a constant of the file holds. */
function textsOf(node: ts.Expression | ts.Identifier, tree: ts.SourceFile): string[] {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return [node.text];
  if (ts.isTemplateExpression(node)) return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  if (ts.isConditionalExpression(node)) return [...textsOf(node.whenTrue, tree), ...textsOf(node.whenFalse, tree)];
  if (!ts.isIdentifier(node)) return [];
  const texts: string[] = [];
  const visit = (each: ts.Node): void => {
    const named = ts.isVariableDeclaration(each) && ts.isIdentifier(each.name) && each.name.text === node.text;
    if (named && each.initializer && each.initializer !== node) texts.push(...textsOf(each.initializer, tree));
    ts.forEachChild(each, visit);
  };
  visit(tree);
  return texts;
}
