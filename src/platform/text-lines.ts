/**
 * Lines of UTF-8 text as they come, without their line feeds. What is behind the last line feed is what a writer that died had begun: it
 * is left out, unless `unfinished` asks for it.
 */
export async function* textLines(
  source: AsyncIterable<Uint8Array>,
  { unfinished = false }: { readonly unfinished?: boolean } = {},
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (unfinished && rest !== '') yield rest;
}
