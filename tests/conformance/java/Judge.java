import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.utilities.validation.ValidationMessage;
import org.hl7.fhir.validation.ValidationEngine;
import org.hl7.fhir.validation.ValidationEngine.ValidationEngineBuilder;

/**
 * HL7's own validator over files: {@code Judge <folder of the guide> <list>}. A line of the list is a file and the profile it
 * is judged by, with a tab between; the profile may be empty. Each finding is one line: file, level, place, id, words.
 */
public class Judge {
  public static void main(String[] arguments) throws Exception {
    ValidationEngine engine =
        new ValidationEngineBuilder()
            .withVersion("4.0.1")
            .withNoTerminologyServer()
            .withCanRunWithoutTerminologyServer(true)
            .fromSource("hl7.fhir.r4.core#4.0.1");
    engine.getIgLoader().loadIg(engine.getIgs(), engine.getBinaries(), arguments[0], false);
    engine.setAllowExampleUrls(true);
    engine.setLanguage("sv");
    engine.prepare();
    int judged = 0;
    for (String line : Files.readAllLines(Path.of(arguments[1]))) {
      String[] asked = line.split("\t", -1);
      List<String> profiles = asked[1].isEmpty() ? List.of() : List.of(asked[1]);
      List<ValidationMessage> found = new ArrayList<>();
      byte[] body = Files.readString(Path.of(asked[0])).getBytes(StandardCharsets.UTF_8);
      engine.validate(body, FhirFormat.JSON, profiles, found);
      for (ValidationMessage each : found) {
        System.out.println(String.join("\t", "FOUND", asked[0], each.getLevel().toString(), each.getLocation(),
            String.valueOf(each.getMessageId()), each.getMessage().replaceAll("\\s+", " ")));
      }
      judged++;
    }
    System.out.println("JUDGED\t" + judged);
  }
}
