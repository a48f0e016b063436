// Records the microphone as a WAV file, since the server may not decode the formats of browsers.

/** Starts recording; `stop` returns the file. Throws an error with a message for users. */
export async function record() {
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Error("Browsers allow recording only over https or on localhost.");
  }
  let stream;
  try {
    // No speech processing, which would alter music.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    stream = await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    throw new Error(error.name === "NotAllowedError" ? "The browser did not allow the microphone." : `There is no microphone to record from (${error.message}).`);
  }
  const context = new AudioContext();
  await context.audioWorklet.addModule("/recorder-worklet.js");
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  const blocks = [];
  recorder.port.onmessage = ({ data }) => blocks.push(data);
  context.createMediaStreamSource(stream).connect(recorder);
  return {
    seconds: () => blocks.length * (blocks[0]?.length ?? 0) / context.sampleRate,
    stop() {
      stream.getTracks().forEach((track) => track.stop());
      const file = wav(blocks, context.sampleRate);
      context.close();
      return file;
    },
  };
}

/** Encodes blocks of mono samples as a 16-bit WAV file. */
function wav(blocks, sampleRate) {
  const n = blocks.reduce((sum, block) => sum + block.length, 0);
  const view = new DataView(new ArrayBuffer(44 + 2 * n));
  const text = (at, words) => [...words].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * n, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * sampleRate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * n, true);
  let at = 44;
  for (const block of blocks) {
    for (const sample of block) {
      view.setInt16(at, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true);
      at += 2;
    }
  }
  const time = new Date().toLocaleTimeString("en", { hour12: false });
  return new File([view.buffer], `recording ${time}.wav`, { type: "audio/wav" });
}
